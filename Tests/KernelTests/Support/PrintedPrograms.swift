// SPDX-License-Identifier: Apache-2.0

// What `status --json` prints of programs of others, with the keys as they are printed.
// swift-format-ignore: AlwaysUseLowerCamelCase
struct PrintedProgram: Decodable {
    struct Process: Decodable {
        let pid: Int32
        let command: String
        let holds: [String]
    }

    struct Pin: Decodable {
        let path: String
        let holds: String
    }

    struct Component: Decodable {
        let position: Int
        let program_id: UInt32?
        let name: String?
        let tag: String?
        let link_id: UInt32?
        let priority: UInt32?
        let continues_on: [String]?
        let supports_frags: Bool?
    }

    struct Dispatcher: Decodable {
        let kind: String
        let version: UInt32
        let known: Bool
        let supports_frags: Bool?
        let components: [Component]
    }

    let id: UInt32
    let name: String
    let tag: String
    let loaded_by_user: UInt32
    let user_name: String?
    let loaded_at: String
    let loaded_seconds_ago: Int64
    let verified_instructions: UInt32
    let machine_code_bytes: UInt32
    let link_id: UInt32?
    let processes: [Process]
    let hidden_processes: Int
    let pins: [Pin]
    let more_pins: Bool
    let dispatcher: Dispatcher?
}

struct PrintedInterface: Decodable {
    struct Chain: Decodable {
        // swift-format-ignore: AlwaysUseLowerCamelCase
        let program_id: UInt32
    }

    let name: String
    let state: String
    let mode: String?
    let chain: Chain?
    let program: PrintedProgram?
}

struct PrintedStatus: Decodable {
    let interfaces: [PrintedInterface]
}

// swift-format-ignore: AlwaysUseLowerCamelCase
struct PrintedNamespaces: Decodable {
    struct Namespace: Decodable {
        let name: String?
        let path: String
        let pid: Int32?
        let command: String?
        let inode: UInt64
        let current: Bool
        let interfaces: [PrintedInterface]
        let error: String?
    }

    let format: Int
    let namespaces: [Namespace]
    let hidden_processes: Int
}

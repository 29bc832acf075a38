// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Netlink
import Packets
import TestSupport
import XDP

/// The packet filter beside those of others: what a packet costs, what a change costs.
struct FilterBench {
    let settings: Settings
    /// Where rule files are written.
    let directory: String
    var xdpctl: String { settings.command }
    let near = Sandbox.interface

    init(settings: Settings) throws {
        self.settings = settings
        guard access(settings.command, X_OK) == 0 else {
            throw BenchmarkError("no \(settings.command): build it, or name it with --xdpctl")
        }
        try Sandbox.enterNetwork()
        var template = Array("/tmp/xdp-bench.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw BenchmarkError("mkdtemp: errno \(errno)") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Takes the rule files away again.
    func clean() {
        _ = try? ChildProcess.run(["rm", "-r", directory])
    }

    /// A file with this text.
    func file(_ name: String, _ text: String) throws -> String {
        let path = "\(directory)/\(name)"
        guard let stream = fopen(path, "w") else { throw BenchmarkError("\(path): errno \(errno)") }
        defer { fclose(stream) }
        guard fputs(text, stream) >= 0 else { throw BenchmarkError("\(path): errno \(errno)") }
        return path
    }

    @discardableResult
    func apply(_ rules: String, name: String = "rules.xdp") throws -> ChildProcess {
        try ChildProcess.succeed([xdpctl, "filter", "apply", near, try file(name, rules), "--force"])
    }

    func unload() throws {
        try ChildProcess.succeed([xdpctl, "unload", near, "--all"])
    }

    /// What runs on the interface now; it stays loaded as long as it is held.
    func running() throws -> Program {
        var route = try RouteSocket()
        guard let id = try route.link(named: near).xdp?.programID else {
            throw BenchmarkError("nothing runs on \(near)")
        }
        return try Program(id: id)
    }

    /// The chain with this filter alone, without the chain's own counters.
    func filter(_ rules: String) throws -> Program {
        try apply(rules)
        try ChildProcess.succeed([xdpctl, "counters", near, "off"])
        let program = try running()
        try unload()
        return program
    }

    /// What packets are measured with: none of them is in any list, except those that say so.
    enum Sent: String, CaseIterable {
        case udp = "UDP"
        case tcp = "TCP"
        case listed = "listed"

        func packet(_ listed: String) -> [UInt8] {
            let from = self == .listed ? Packet.IPv4(stringLiteral: listed) : "192.0.2.1"
            let packet = Packet.ethernet().ipv4(from: from, to: "198.51.100.7")
            return switch self {
            case .tcp: packet.tcp(from: 40000, to: 8080, flags: .ack).padded(to: 64).bytes
            default: packet.udp(from: 40000, to: 4242).padded(to: 64).bytes
            }
        }
    }
}

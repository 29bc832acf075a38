// SPDX-License-Identifier: Apache-2.0
import BPF

/// An object that shall become a member, and everything that was asked for beside it.
public struct LoadRequest: Sendable, Hashable {
    /// A map that exists.
    public enum ExistingMap: Sendable, Hashable, CustomStringConvertible {
        case pinned(String)
        case id(UInt32)

        /// "id:42" or the path.
        public var description: String {
            switch self {
            case .pinned(let path): path
            case .id(let id): "id:\(id)"
            }
        }

        /// Reads "id:42" or a path.
        public init?(parsing text: String) {
            if text.hasPrefix("id:") {
                guard let id = UInt32(text.dropFirst(3)) else { return nil }
                self = .id(id)
            } else {
                guard text.contains("/") else { return nil }
                self = .pinned(text)
            }
        }
    }

    /// The object file.
    public var path: String
    /// The function to load, where the object has several.
    public var program: String?
    /// What the member is called; the file's name without its endings, if nothing is said.
    public var name: String?
    /// Where it goes; by its own metadata, if nothing is said.
    public var position: Position?
    /// Edges that override those of its metadata.
    public var edges: [Verdict: Edge] = [:]
    /// Values for global variables, as typed.
    public var variables: [String: String] = [:]
    /// Numbers of entries for maps.
    public var maximumEntries: [String: UInt32] = [:]
    /// Maps to use instead of making them.
    public var reusedMaps: [String: ExistingMap] = [:]
    /// Where to pin all maps of the object, by their names.
    public var pinDirectory: String?
    /// Whether it gets a program of its own, which the chain calls: it can then be exchanged alone in
    /// microseconds, for some 9 ns a packet.
    public var isIsolated = false
    /// Whether what was asked for when the replaced member was loaded, and is not said otherwise, is asked for
    /// again, as far as the new object has it.
    public var keepsSettings = false

    public init(path: String) {
        self.path = path
    }
}

extension LoadRequest {
    /// What a member is called when nothing is said: the file's name without its endings.
    public static func defaultName(_ path: String) -> String {
        ObjectFile.stem(of: path)
    }
}

// SPDX-License-Identifier: Apache-2.0
import CYAML

/// Reads the plain part of YAML: one document of mappings, lists and values.
///
/// Anchors, aliases and tags are refused: nothing needs them here, and a few lines of them can stand for
/// gigabytes. Size, depth and the number of nodes are limited.
public enum YAMLReader {
    /// What is wrong with a text, and where.
    public struct Failure: Error, Sendable, Hashable {
        public let place: SourcePlace
        public let what: String
        public var remedy: String?
    }

    /// Bytes of a text. A chain of a thousand members takes a tenth of it.
    public static let largestText = 1 << 20
    static let deepestNesting = 16
    static let mostNodes = 100_000

    /// The root of the document; nil where the text is empty.
    public static func read(_ text: [UInt8]) throws(Failure) -> YAMLNode? {
        guard text.count <= largestText else {
            throw Failure(place: SourcePlace(line: 1, column: 1), what: "the file is larger than 1 MiB")
        }
        let parser = try YAMLEvents(text)
        var composer = Composer(events: parser)
        return try composer.document()
    }
}

/// Makes nodes of events.
private struct Composer {
    let events: YAMLEvents
    private var nodes = 0

    init(events: YAMLEvents) {
        self.events = events
    }

    mutating func document() throws(YAMLReader.Failure) -> YAMLNode? {
        var root: YAMLNode?
        while true {
            let event = try events.next()
            switch event.kind {
            case .end: return root
            case .structure: continue
            default:
                guard root == nil else {
                    throw YAMLReader.Failure(
                        place: event.place, what: "there is a second document",
                        remedy: "expected one; several interfaces stand in one document")
                }
                root = try node(event, depth: 0)
            }
        }
    }

    private mutating func node(_ event: YAMLEvents.Event, depth: Int) throws(YAMLReader.Failure) -> YAMLNode {
        nodes += 1
        guard nodes <= YAMLReader.mostNodes else {
            throw YAMLReader.Failure(place: event.place, what: "the file has too many parts")
        }
        guard depth <= YAMLReader.deepestNesting else {
            throw YAMLReader.Failure(place: event.place, what: "this is nested too deeply")
        }
        if event.hasTag {
            throw YAMLReader.Failure(
                place: event.place, what: "a tag is not understood here", remedy: "leave it away")
        }
        if event.hasAnchor {
            throw YAMLReader.Failure(
                place: event.place, what: "anchors and aliases are not understood here",
                remedy: "write it out where it is meant")
        }
        switch event.kind {
        case .scalar(let text, let isPlain):
            return YAMLNode(content: .scalar(text, isPlain: isPlain), place: event.place)
        case .sequenceStart:
            var items: [YAMLNode] = []
            while true {
                let item = try events.next()
                if case .collectionEnd = item.kind { break }
                items.append(try node(item, depth: depth + 1))
            }
            return YAMLNode(content: .sequence(items), place: event.place)
        case .mappingStart:
            return YAMLNode(content: .mapping(try entries(depth: depth)), place: event.place)
        case .alias, .collectionEnd, .structure, .end:
            throw YAMLReader.Failure(place: event.place, what: "this is not expected here")
        }
    }

    private mutating func entries(depth: Int) throws(YAMLReader.Failure) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        var lines: [String: Int] = [:]
        while true {
            let event = try events.next()
            if case .collectionEnd = event.kind { return entries }
            let key = try node(event, depth: depth + 1)
            guard case .scalar(let text, _) = key.content else {
                throw YAMLReader.Failure(
                    place: key.place, what: "\(key.kind) cannot be a key", remedy: "expected a word")
            }
            if let line = lines[text] {
                throw YAMLReader.Failure(
                    place: key.place, what: "the key \(text) stands here twice, first on line \(line)")
            }
            lines[text] = key.place.line
            let value = try node(try events.next(), depth: depth + 1)
            entries.append(YAMLNode.Entry(key: text, keyPlace: key.place, value: value))
        }
    }
}

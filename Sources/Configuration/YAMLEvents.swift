// SPDX-License-Identifier: Apache-2.0
import CYAML

/// libyaml's parser over a text: one event after the other.
final class YAMLEvents {
    /// What the parser saw.
    enum Kind {
        /// The begin or end of a document, which says nothing.
        case structure
        case scalar(String, isPlain: Bool)
        case sequenceStart
        case mappingStart
        case collectionEnd
        case alias
        case end
    }

    /// One event.
    struct Event {
        var kind: Kind
        var place: SourcePlace
        var hasAnchor = false
        var hasTag = false
    }

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    // The parser reads from it as long as it lives.
    private let text: UnsafeMutableBufferPointer<UInt8>

    init(_ bytes: [UInt8]) throws(YAMLReader.Failure) {
        text = .allocate(capacity: max(1, bytes.count))
        _ = text.update(fromContentsOf: bytes)
        parser = .allocate(capacity: 1)
        guard yaml_parser_initialize(parser) == 1 else {
            parser.deallocate()
            text.deallocate()
            throw YAMLReader.Failure(place: SourcePlace(line: 1, column: 1), what: "there is no memory")
        }
        yaml_parser_set_input_string(parser, text.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        text.deallocate()
    }

    func next() throws(YAMLReader.Failure) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw failure() }
        defer { yaml_event_delete(&event) }
        let place = Self.place(event.start_mark)
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let value = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return Event(
                kind: .scalar(
                    String(decoding: value, as: UTF8.self), isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE),
                place: place, hasAnchor: scalar.anchor != nil, hasTag: scalar.tag != nil)
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            return Event(
                kind: .sequenceStart, place: place, hasAnchor: start.anchor != nil, hasTag: start.tag != nil)
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            return Event(
                kind: .mappingStart, place: place, hasAnchor: start.anchor != nil, hasTag: start.tag != nil)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
            return Event(kind: .collectionEnd, place: place)
        case YAML_ALIAS_EVENT: return Event(kind: .alias, place: place, hasAnchor: true)
        // After the end libyaml gives events of no type.
        case YAML_STREAM_END_EVENT, YAML_NO_EVENT: return Event(kind: .end, place: place)
        default: return Event(kind: .structure, place: place)
        }
    }

    private static func place(_ mark: yaml_mark_t) -> SourcePlace {
        SourcePlace(line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }

    private func failure() -> YAMLReader.Failure {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "it cannot be read"
        if parser.pointee.error == YAML_READER_ERROR {
            return YAMLReader.Failure(
                place: place(ofByte: Int(parser.pointee.problem_offset)), what: "this is no text: \(problem)",
                remedy: "expected UTF-8")
        }
        var what = "this is no YAML: \(problem)"
        if let context = parser.pointee.context {
            let start = Self.place(parser.pointee.context_mark)
            what += " (\(String(cString: context)) that begins on line \(start.line))"
        }
        return YAMLReader.Failure(place: Self.place(parser.pointee.problem_mark), what: what)
    }

    private func place(ofByte offset: Int) -> SourcePlace {
        let before = text.prefix(max(0, min(offset, text.count)))
        let line = before.reduce(1) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return SourcePlace(line: line, column: before.count - start + 1)
    }
}

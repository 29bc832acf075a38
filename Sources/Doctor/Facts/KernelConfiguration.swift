// SPDX-License-Identifier: Apache-2.0

/// The options that a kernel was built with: the text that `make menuconfig` writes, lines of `CONFIG_NAME=value`
/// and `# CONFIG_NAME is not set`.
public struct KernelConfiguration: Sendable, Hashable {
    /// The file that it was read from.
    public var source: String
    /// Options that are set, with their `CONFIG_`.
    public var values: [String: String]

    public init(source: String, values: [String: String]) {
        self.source = source
        self.values = values
    }

    /// Reads the text; nil where there is no option in it, so that it is something else. Other lines are passed
    /// over; of two lines for one option the last counts.
    public init?(source: String, text: [UInt8]) {
        self.init(source: source, values: [:])
        var isConfiguration = false
        for line in text.split(separator: UInt8(ascii: "\n")) {
            if line.starts(with: Self.unset) {
                let name = line.dropFirst(2).prefix { $0 != UInt8(ascii: " ") }
                guard let name = Self.name(name), line.dropFirst(2 + name.utf8.count).starts(with: Self.isNot)
                else { continue }
                isConfiguration = true
                values[name] = nil
            } else if let equals = line.firstIndex(of: UInt8(ascii: "=")),
                let name = Self.name(line[..<equals])
            {
                isConfiguration = true
                values[name] = String(decoding: line[(equals + 1)...].prefix(64), as: UTF8.self)
            }
        }
        guard isConfiguration else { return nil }
    }

    /// "y", "m", a number; nil for an option that is not set, or that this kernel does not have.
    public subscript(_ option: String) -> String? { values[option] }

    /// The line of the file, as it would stand there.
    func line(_ option: String) -> String {
        values[option].map { "\(option)=\($0)" } ?? "# \(option) is not set"
    }

    private static let unset = Array("# CONFIG_".utf8)
    private static let isNot = Array(" is not set".utf8)

    private static func name(_ bytes: ArraySlice<UInt8>) -> String? {
        guard bytes.count < 128, bytes.starts(with: "CONFIG_".utf8),
            bytes.dropFirst(7).allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                    true
                default: false
                }
            })
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}

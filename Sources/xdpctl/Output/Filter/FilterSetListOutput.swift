// SPDX-License-Identifier: Apache-2.0
import Filter
import Glibc
import XDP

/// What `filter set list` prints. Written piece by piece, since a set may have millions of elements.
struct FilterSetListOutput {
    private let listing: SetListing
    private let declaration: SetDeclaration
    private let interface: String
    private let filter: String

    init(_ listing: SetListing, _ declaration: SetDeclaration, on interface: String, filter: String) {
        self.listing = listing
        self.declaration = declaration
        self.interface = interface
        self.filter = filter
    }

    /// A file that a set can be read from.
    func printText() {
        listing.write { Self.write(UnsafeRawBufferPointer($0)) }
    }

    func printJSON() {
        var text = "{\n"
        text += "  \"count\" : \(listing.count),\n"
        text += "  \"elements\" : ["
        var separator = "\n"
        listing.forEach { element in
            text += "\(separator)    { \"element\" : \(Self.quoted(element.bare))"
            text += ", \"is_declared\" : \(element.isDeclared)"
            if let remaining = element.remaining { text += ", \"remaining_seconds\" : \(remaining)" }
            text += " }"
            separator = ",\n"
            if text.utf8.count > 1 << 16 {
                Self.write(text)
                text = ""
            }
        }
        text += separator == "\n" ? "],\n" : "\n  ],\n"
        text += "  \"filter\" : \(Self.quoted(filter)),\n"
        text += "  \"format\" : 1,\n"
        text += "  \"has_timeouts\" : \(declaration.hasTimeouts),\n"
        text += "  \"interface\" : \(Self.quoted(interface)),\n"
        text +=
            "  \"kinds\" : [\(declaration.kinds.map { Self.quoted($0.rawValue) }.joined(separator: ", "))],\n"
        text += "  \"set\" : \(Self.quoted(declaration.name))\n}\n"
        Self.write(text)
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case _ where scalar.value < 32:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    private static func write(_ text: String) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
    }

    /// As much as a reader takes; one that went away ends the program as it ends others.
    private static func write(_ bytes: UnsafeRawBufferPointer) {
        var start = 0
        while start < bytes.count, let base = bytes.baseAddress {
            let count = Glibc.write(STDOUT_FILENO, base + start, bytes.count - start)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            start += count
        }
    }
}

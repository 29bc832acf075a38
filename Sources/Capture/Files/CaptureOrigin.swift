// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Where a capture file was made.
public struct CaptureOrigin: Sendable, Hashable {
    public var hardware: String?
    public var system: String?
    public var application: String?
    public var comment: String?

    public init(
        hardware: String? = nil, system: String? = nil, application: String? = nil, comment: String? = nil
    ) {
        self.hardware = hardware
        self.system = system
        self.application = application
        self.comment = comment
    }

    /// This machine, as it says itself.
    ///
    /// - Parameter application: "xdpctl 1.2.3".
    public static func here(application: String) -> CaptureOrigin {
        var name = utsname()
        guard uname(&name) == 0 else { return CaptureOrigin(application: application) }
        return CaptureOrigin(
            hardware: text(of: name.machine), system: "\(text(of: name.sysname)) \(text(of: name.release))",
            application: application)
    }

    private static func text<Field>(of field: Field) -> String {
        withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

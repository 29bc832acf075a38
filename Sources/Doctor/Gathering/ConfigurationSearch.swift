// SPDX-License-Identifier: Apache-2.0

/// Finds the options of the running kernel.
enum ConfigurationSearch {
    /// Bytes of a file as it is, packed or not, and of what it unpacks to. Kernels have 100 to 300 KB.
    private static let limit = 8 << 20

    static func read(release: String) -> Fact<KernelConfiguration> {
        var reasons: [String] = []
        for path in paths(release) {
            switch FactFile.bytes(of: path, limit: limit) {
            case .unknown(let reason): reasons.append(reason)
            case .known(let bytes):
                switch configuration(path, bytes) {
                case .known(let configuration): return .known(configuration)
                case .unknown(let reason): reasons.append(reason)
                }
            }
        }
        return .unknown(reasons.joined(separator: "; "))
    }

    /// Reads a file, unpacking it if its name says so.
    static func configuration(_ path: String, _ bytes: [UInt8]) -> Fact<KernelConfiguration> {
        var text = bytes
        if path.hasSuffix(".gz") {
            do throws(Gunzip.Failure) {
                text = try Gunzip.unpack(bytes, limit: limit)
            } catch {
                return .unknown("\(path) \(error.description)")
            }
        }
        guard let found = KernelConfiguration(source: path, text: text) else {
            return .unknown("\(path) is no kernel's configuration")
        }
        return .known(found)
    }

    /// Where kernels and distributions have it.
    private static func paths(_ release: String) -> [String] {
        // A name is part of a path here; no kernel is called so.
        guard !release.isEmpty, !release.contains("/") else { return ["/proc/config.gz"] }
        return [
            "/proc/config.gz", "/boot/config-\(release)", "/lib/modules/\(release)/config",
            "/lib/modules/\(release)/build/.config",
        ]
    }
}

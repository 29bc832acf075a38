// SPDX-License-Identifier: Apache-2.0
import Glibc
import Netlink
import Testing

/// Two network cards of one model that QEMU emulates and wires to each other, with their real driver.
///
/// `Scripts/test-kernels` says in `XDP_EMULATED_CARDS` which models the machine has. Elsewhere there are none,
/// and no interface is touched.
enum EmulatedCards: String, CaseIterable, Sendable {
    case virtio = "virtio-net-pci"
    case vmxnet3
    case e1000e
    case igb

    /// The name of the driver.
    var driver: String { self == .virtio ? "virtio_net" : rawValue }

    /// Models that this machine has; nil where it is no machine for tests of cards.
    static var available: Set<String>? {
        guard let names = getenv("XDP_EMULATED_CARDS") else { return nil }
        return Set(String(cString: names).split(separator: " ").map(String.init))
    }

    /// The kernel from which on the driver runs programs natively; nil if it never does. An older one has to
    /// refuse, and a newer one has to run them, so nothing is skipped for it.
    var nativeSince: KernelVersion? {
        switch self {
        case .virtio, .igb: "5.10"
        case .vmxnet3: "6.6"
        case .e1000e: nil
        }
    }

    var isNative: Bool { nativeSince.map { KernelVersion.running >= $0 } ?? false }

    /// Ends the test case as skipped where there are no such cards.
    func check() throws {
        guard let available = Self.available else {
            try Test.skip("no emulated cards here; `make test-kernels` has them")
        }
        guard available.contains(rawValue) else {
            try Test.skip("this QEMU does not emulate \(rawValue)")
        }
    }

    /// The two cards by index, once both are where this thread is: those of an earlier test come back a moment
    /// after its namespace has gone.
    func indices() throws -> [UInt32] {
        var found: [UInt32] = []
        let isComplete = try eventually(within: 20) {
            var route = try RouteSocket()
            found = try route.links().filter { Self.driver(of: $0.name) == driver }.map(\.index).sorted()
            return found.count == 2
        }
        try #require(isComplete, "\(found.count) cards with the driver \(driver), and there should be 2")
        return found
    }

    private static func driver(of interface: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/sys/class/net/\(interface)/device/driver", &buffer, buffer.count)
        guard length > 0 else { return nil }
        let path = String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.split(separator: "/").last.map(String.init)
    }
}

// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import XDP

@Suite("The configuration of a dispatcher")
struct DispatcherConfigurationTests {
    /// What libxdp 1.3.1 wrote on Linux 6.1 for three programs, as `bpftool map dump` printed it.
    private static let recorded: [UInt8] =
        [0xec, 2, 3, 0] + [4, 0, 0, 0x80, 4, 0, 0, 0x80, 4, 0, 0, 0x80] + zeros(28)
        + [10, 0, 0, 0, 0x32, 0, 0, 0, 0x32, 0, 0, 0] + zeros(28) + zeros(40)

    /// Version 1: no magic, no flags.
    private static let first: [UInt8] =
        [2, 0, 0, 0] + [6, 0, 0, 0x80, 0x1f, 0, 0, 0x80] + zeros(32) + [7, 0, 0, 0, 0xe8, 3, 0, 0] + zeros(32)

    private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

    @Test("what libxdp wrote is read", arguments: [nil, 2] as [UInt32?])
    func second(declaredVersion: UInt32?) throws {
        let configuration = try #require(
            DispatcherConfiguration(Self.recorded, declaredVersion: declaredVersion))

        #expect(configuration.version == 2 && configuration.supportsFrags == false)
        #expect(configuration.slots?.map(\.priority) == [10, 50, 50])
        #expect(configuration.slots?.allSatisfy { $0.continuing == [.pass] } == true)
        #expect(configuration.slots?.allSatisfy { $0.supportsFrags == false } == true)
    }

    @Test("frags are told of the dispatcher and of each program")
    func frags() throws {
        var bytes = Self.recorded
        bytes[3] = 1
        bytes[84 + 4] = 1 << 5

        let configuration = try #require(DispatcherConfiguration(bytes, declaredVersion: 2))

        #expect(configuration.supportsFrags == true)
        #expect(configuration.slots?.map(\.supportsFrags) == [false, true, false])
    }

    @Test("version 1 is known by the types alone")
    func types() throws {
        let configuration = try #require(DispatcherConfiguration(Self.first, declaredVersion: 1))

        #expect(configuration.version == 1 && configuration.supportsFrags == nil)
        #expect(configuration.slots?.map(\.priority) == [7, 1000])
        #expect(configuration.slots?.map(\.continuing) == [[.drop, .pass], Set(Verdict.allCases)])
        #expect(DispatcherConfiguration(Self.first, declaredVersion: nil) == nil)
    }

    @Test("version 3 says at its end whether it is bound to a device")
    func third() throws {
        var bytes = Self.recorded + [1, 0, 0, 0]
        bytes[1] = 3

        #expect(DispatcherConfiguration(bytes, declaredVersion: 3)?.slots?.count == 3)
        #expect(DispatcherConfiguration(Array(bytes.dropLast(4)), declaredVersion: 3) == nil)
    }

    @Test("a newer version is recognised and not read", arguments: [4, 5, UInt8.max])
    func newer(version: UInt8) throws {
        var bytes = Self.recorded
        bytes[1] = version
        bytes[2] = 200

        let configuration = try #require(
            DispatcherConfiguration(bytes, declaredVersion: UInt32(version)))

        #expect(configuration.version == UInt32(version) && configuration.slots == nil)
    }

    @Test("types that say another version than the bytes are somebody else's", arguments: [0, 1, 3, 4])
    func contradiction(declared: UInt32) {
        #expect(DispatcherConfiguration(Self.recorded, declaredVersion: declared) == nil)
    }

    @Test("more programs than places are refused", arguments: [11, 100, 255] as [UInt8])
    func tooMany(count: UInt8) {
        var second = Self.recorded
        second[2] = count
        var first = Self.first
        first[0] = count

        #expect(DispatcherConfiguration(second, declaredVersion: 2) == nil)
        #expect(DispatcherConfiguration(first, declaredVersion: 1) == nil)
    }

    @Test("any other length is refused")
    func lengths() {
        for length in 0..<200 where length != 124 {
            let bytes = Array((Self.recorded + Self.zeros(100)).prefix(length))
            #expect(DispatcherConfiguration(bytes, declaredVersion: 2) == nil, "\(length)")
        }
        for length in 0..<200 where length != 84 {
            let bytes = Array((Self.first + Self.zeros(200)).prefix(length))
            #expect(DispatcherConfiguration(bytes, declaredVersion: 1) == nil, "\(length)")
        }
    }

    @Test("no damage makes more of it than there can be", arguments: [1, 2, 3] as [UInt64])
    func damage(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<5000 {
            var bytes = Bool.random(using: &random) ? Self.recorded : Self.first
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = .random(in: 0...255, using: &random)
            }
            for declared in [nil, 1, 2] as [UInt32?] {
                let configuration = DispatcherConfiguration(bytes, declaredVersion: declared)
                #expect(configuration?.slots?.count ?? 0 <= 10)
            }
        }
    }

    @Test(
        "the function that a component takes the place of says its place",
        arguments: [
            ("prog0", 0), ("prog9", 9), ("xdp_dispatcher", 0), ("prog10", nil), ("prog", nil),
            ("prog-1", nil),
            ("compat_test", nil), ("", nil),
        ] as [(String, Int?)])
    func places(function: String, place: Int?) {
        #expect(DispatcherReader.place(function) == place)
    }
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Synchronization
import XDP

/// The ``FilterState`` of a filter as memory: which sets may have elements, and whose turn it is to change them.
public final class FilterStatePage: Sendable {
    private let value: MappedValue

    public init(_ map: MapHandle) throws(XDPError) {
        guard map.definition.valueSize >= FilterState.size, map.definition.flags & MappedValue.mapFlag != 0
        else {
            throw XDPError(
                .failed, "The filter's state cannot be used",
                because: "map \(map.id) (\(map.definition.name)) is another kind of map",
                remedy: "Apply the filter again")
        }
        do throws(BPFError) {
            value = try MappedValue(map.map, count: FilterState.size)
        } catch {
            throw XDPError(error, during: "The filter's state cannot be used")
        }
    }

    // MARK: Flags

    /// Whether the part of a set that has a place may have elements.
    public subscript(place: Int) -> Bool {
        get { flag(place).pointee.load(ordering: .sequentiallyConsistent) != 0 }
        set { flag(place).pointee.store(newValue ? 1 : 0, ordering: .sequentiallyConsistent) }
    }

    private func flag(_ place: Int) -> UnsafePointer<Atomic<UInt32>> {
        precondition((0..<FilterState.places).contains(place))
        return UnsafePointer(
            (value.memory + FilterState.offset(ofPlace: place)).assumingMemoryBound(to: Atomic<UInt32>.self))
    }

    // MARK: Turns

    /// Somebody's turn at changing the sets of a filter. It ends by itself some time after its holder was last
    /// heard of, so that one that is killed stops nobody.
    public final class Turn: Sendable {
        private let page: FilterStatePage
        private let mark: Atomic<UInt64>
        /// Milliseconds.
        private let length: UInt64

        fileprivate init(_ page: FilterStatePage, _ mark: UInt64, length: UInt64) {
            self.page = page
            self.mark = Atomic(mark)
            self.length = length
        }

        deinit { end() }

        /// Makes it last from now on, which its holder does before each step; false if it is over, because too much
        /// time passed, and another one may have had a turn.
        public func renew() -> Bool {
            let old = mark.load(ordering: .relaxed)
            let new = FilterStatePage.mark(length: length, token: old)
            guard
                page.lock.pointee.compareExchange(
                    expected: old, desired: new, ordering: .sequentiallyConsistent
                ).exchanged
            else { return false }
            mark.store(new, ordering: .relaxed)
            return true
        }

        /// Lets the next one in.
        public func end() {
            _ = page.lock.pointee.compareExchange(
                expected: mark.load(ordering: .relaxed), desired: 0, ordering: .sequentiallyConsistent)
        }
    }

    /// Waits until nobody else changes sets.
    ///
    /// - Parameters:
    ///   - length: after so many milliseconds without a sign of life the turn is over.
    ///   - patience: so many milliseconds are waited.
    public func takeTurn(length: UInt64 = 2000, patience: UInt64 = 60_000) throws(XDPError) -> Turn {
        let token = UInt64.random(in: 1...0xffff)
        let start = Self.milliseconds()
        while true {
            let held = lock.pointee.load(ordering: .sequentiallyConsistent)
            if held == 0 || held >> 16 < Self.milliseconds() {
                let mine = Self.mark(length: length, token: token)
                if lock.pointee.compareExchange(
                    expected: held, desired: mine, ordering: .sequentiallyConsistent
                ).exchanged {
                    return Turn(self, mine, length: length)
                }
            } else {
                usleep(500)
            }
            guard Self.milliseconds() - start < patience else {
                throw XDPError(
                    .failed, "The sets of the filter cannot be changed",
                    because: "another process has been changing them for \(patience / 1000) seconds",
                    remedy: "Try again, or see who does it")
            }
        }
    }

    private var lock: UnsafePointer<Atomic<UInt64>> {
        UnsafePointer((value.memory + FilterState.turn).assumingMemoryBound(to: Atomic<UInt64>.self))
    }

    /// When it ends in the upper 48 bits, whose it is in the lower 16.
    private static func mark(length: UInt64, token: UInt64) -> UInt64 {
        (milliseconds() + length) << 16 | token & 0xffff
    }

    private static func milliseconds() -> UInt64 { MonotonicTime.now() / 1_000_000 }
}

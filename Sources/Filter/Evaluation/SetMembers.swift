// SPDX-License-Identifier: Apache-2.0
import Netlink

/// The elements of a set, and how long they live.
struct SetMembers: Sendable {
    /// Elements that are one value, and tuples: the time after which each is gone.
    private var values: [[SetComponent]: UInt64] = [:]
    /// Networks by their lengths, so that a search asks once for each length that there is.
    private var networks: [Int: [IPAddress: UInt64]] = [:]
    /// Ranges of more than one number.
    private var ranges: [(range: ClosedRange<UInt16>, end: UInt64)] = []

    /// The elements of a declaration and further ones, all added at a time.
    init(_ declaration: SetDeclaration, adding further: [SetElement], at start: UInt64) {
        for element in declaration.elements + further {
            add(element, until: Self.end(of: element, in: declaration, from: start))
        }
    }

    /// The last nanosecond of an element's life.
    private static func end(of element: SetElement, in set: SetDeclaration, from start: UInt64) -> UInt64 {
        guard let seconds = element.timeout ?? set.timeout else { return .max }
        let (life, isHuge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (end, isLater) = start.addingReportingOverflow(life)
        return isHuge || isLater ? .max : end
    }

    private mutating func add(_ element: SetElement, until end: UInt64) {
        let components = element.components
        switch (components.count, components.first) {
        case (1, .prefix(let network)):
            let length = Int(network.length)
            networks[length, default: [:]][network.address] = max(
                end, networks[length]?[network.address] ?? 0)
        case (1, .numbers(let range)) where range.count > 1:
            ranges.append((range, end))
        default:
            values[components] = max(end, values[components] ?? 0)
        }
    }

    /// Whether the components of a packet are an element that lives at a time.
    func contains(_ components: [SetComponent], at now: UInt64) -> Bool {
        switch (components.count, components.first) {
        case (1, .address(let address)):
            isAlive(values[components], at: now) || covers(address, at: now)
        case (1, .numbers(let number)):
            isAlive(values[components], at: now)
                || ranges.contains { $0.range.contains(number.lowerBound) && isAlive($0.end, at: now) }
        default:
            isAlive(values[components], at: now)
        }
    }

    private func covers(_ address: IPAddress, at now: UInt64) -> Bool {
        networks.contains { length, ofLength in
            IPPrefix(address, length: length).map { isAlive(ofLength[$0.address], at: now) } ?? false
        }
    }

    private func isAlive(_ end: UInt64?, at now: UInt64) -> Bool {
        end.map { now <= $0 } ?? false
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Elements of a set's declaration that say what others say already.
enum SetOverlap {
    static func warnings(of set: SetDeclaration) -> [RuleWarning] {
        // One that ends sooner than what it covers is meant so.
        let elements = set.elements.filter { $0.timeout == nil }
        let covered =
            set.kinds == [.prefix] ? prefixes(elements) : set.kinds.count == 1 ? ranges(elements) : []
        let pairs = covered.isEmpty ? duplicates(elements) : covered
        guard let (element, other) = pairs.first else { return [] }
        let more = pairs.count > 1 ? ", and \(pairs.count - 1) more like this" : ""
        let what =
            element.components == other.components
            ? "\(element.text) is in the set \(set.name) twice\(more)"
            : "\(element.text) in the set \(set.name) is covered by \(other.text)\(more)"
        return [RuleWarning(kind: .overlap, place: set.place, what: what, remedy: nil)]
    }

    private static func duplicates(_ elements: [SetElement]) -> [(SetElement, SetElement)] {
        var seen: Set<[SetComponent]> = []
        return elements.filter { !seen.insert($0.components).inserted }.map { ($0, $0) }
    }

    /// In the order of addresses a network comes right before what it covers.
    private static func prefixes(_ elements: [SetElement]) -> [(SetElement, SetElement)] {
        let networks = elements.compactMap { element -> (SetElement, IPPrefix)? in
            guard case .prefix(let network)? = element.components.first else { return nil }
            return (element, network)
        }.sorted { left, right in
            let (a, b) = (left.1, right.1)
            if a.isIPv6 != b.isIPv6 { return b.isIPv6 }
            if a.address != b.address { return a.address.bytes.lexicographicallyPrecedes(b.address.bytes) }
            return a.length < b.length
        }
        var result: [(SetElement, SetElement)] = []
        var wide: (SetElement, IPPrefix)?
        for (element, network) in networks {
            if let wide, wide.1.covers(network) {
                result.append((element, wide.0))
            } else {
                wide = (element, network)
            }
        }
        return result
    }

    private static func ranges(_ elements: [SetElement]) -> [(SetElement, SetElement)] {
        let ranges = elements.compactMap { element -> (SetElement, ClosedRange<UInt16>)? in
            guard case .numbers(let range)? = element.components.first else { return nil }
            return (element, range)
        }.sorted {
            ($0.1.lowerBound, UInt16.max - $0.1.upperBound) < ($1.1.lowerBound, UInt16.max - $1.1.upperBound)
        }
        var result: [(SetElement, SetElement)] = []
        var wide: (SetElement, ClosedRange<UInt16>)?
        for (element, range) in ranges {
            if let wide, range.upperBound <= wide.1.upperBound {
                result.append((element, wide.0))
            } else {
                wide = (element, range)
            }
        }
        return result
    }
}

// SPDX-License-Identifier: Apache-2.0

extension Chain {
    /// Every point of the chain as it is: those on a packet's way in order, then one end for each member that can give
    /// the last verdict.
    public var tapPoints: [TapPoint] {
        var points = [TapPoint(.start)]
        for member in members {
            points.append(TapPoint(.entry, member: member.name))
            points.append(TapPoint(.exit, member: member.name))
        }
        if members.isEmpty { return points + [TapPoint(.end)] }
        return points + members.map { TapPoint(.end, member: $0.name) }
    }

    /// Gives numbers to the points that every tap sees: new ones come behind those that were there before, which keep theirs.
    ///
    /// - Throws: `refused` for a tap that would have more than ``Tap/maximumPoints``.
    public mutating func settleTaps() throws(XDPError) {
        let present = tapPoints
        for place in taps.indices {
            let known = Set(taps[place].points)
            let selection = taps[place].selection
            taps[place].points += present.filter { selection.includes($0) && !known.contains($0) }
            guard taps[place].points.count > Tap.maximumPoints else { continue }
            throw XDPError(
                .refused, "\(taps[place].name) cannot see all points of the chain",
                because:
                    "it has seen \(taps[place].points.count) so far, members that are gone included, and can tell "
                    + "\(Tap.maximumPoints) apart",
                remedy: "End it and start it again; choose points with --at")
        }
    }

    /// Whether somebody joined, or left, since the chain was made for its taps alone.
    var isMoreThanLent: Bool {
        switch loan {
        case nil: true
        case .made: !members.isEmpty
        case .adopted(let name): members.map(\.name) != [name] || members[0].adopted == nil
        }
    }
}

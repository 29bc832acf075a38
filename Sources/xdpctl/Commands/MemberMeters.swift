// SPDX-License-Identifier: Apache-2.0
import Observe
import XDP

/// The meters of all interfaces that `top --members` shows.
struct MemberMeters: ~Copyable {
    let isOn: Bool
    private var meters: [UInt32: MemberMeter] = [:]
    /// Where it cannot be measured: that is said once, and not tried again.
    private var refused: Set<UInt32> = []
    private(set) var notes: [String] = []

    private static let share =
        "what the meters of --members take is in the numbers of interfaces, and in no member's"

    init(isOn: Bool) { self.isOn = isOn }

    /// Starts to measure on those that have a program and are not measured yet.
    mutating func follow(_ samples: [InterfaceSample]) {
        guard isOn else { return }
        for sample in samples where sample.programID != nil {
            guard meters[sample.index] == nil, !refused.contains(sample.index) else { continue }
            do throws(XDPError) {
                let meter = try MemberMeter(
                    on: try Interface(named: sample.interface), purpose: "xdpctl top --members")
                meters[sample.index] = meter
                notes += meter.notes.map { "\(sample.interface): \($0)" }
                if !notes.contains(Self.share) { notes.append(Self.share) }
            } catch {
                refused.insert(sample.index)
                notes.append("\(error.what): \(error.why)")
            }
        }
    }

    /// What members cost lately, by the interface's index. Meters that are in no chain any more are forgotten.
    mutating func read() throws(XDPError) -> [UInt32: [MemberCost]] {
        var costs: [UInt32: [MemberCost]] = [:]
        for (index, meter) in meters {
            costs[index] = try meter.read()
            if costs[index] == nil { meters[index] = nil }
        }
        return costs
    }

    /// Ends all of them, also if one cannot be taken out.
    mutating func end() throws(XDPError) {
        var failure: XDPError?
        for meter in meters.values {
            do throws(XDPError) { try meter.end() } catch { failure = error }
        }
        meters = [:]
        if let failure { throw failure }
    }
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import Filter
import XDP

/// Measures what programs on interfaces cost: the kernel counts their runs and the time they take as long as this value lives.
///
/// A chain of several programs, and what its members call, is measured as a whole: the kernel looks at the clock before and after
/// the attached program, and tail calls do not come back in between.
public struct CostMeter: ~Copyable {
    private let statistics: RunStatistics
    /// Nanoseconds of a run that are the measurement's own.
    public let overhead: Double
    private var last: [UInt32: Reading] = [:]

    private struct Reading {
        var programID: UInt32
        var time: UInt64
        var runTime: UInt64
        var runCount: UInt64
    }

    /// Switches the kernel's measurement on, and finds out what it adds to each run. Needs CAP_SYS_ADMIN.
    public init() throws(XDPError) {
        // First, so that the kernel counts what is measured next.
        let started = try Self.started()
        overhead = try Self.measureOverhead()
        statistics = started
    }

    private static func started() throws(XDPError) -> RunStatistics {
        do throws(BPFError) {
            return try RunStatistics()
        } catch {
            throw failure(error)
        }
    }

    private static func failure(_ error: BPFError) -> XDPError {
        XDPError(error, during: "The cost of programs cannot be measured")
    }

    /// What was measured since the last time, of interfaces with the same program as then.
    public mutating func read(_ samples: [InterfaceSample]) throws(XDPError) -> [ChainCost] {
        var costs: [ChainCost] = []
        var readings: [UInt32: Reading] = [:]
        for sample in samples {
            guard let id = sample.programID else { continue }
            let information: ProgramInformation
            do throws(BPFError) {
                information = try Program(id: id).information()
            } catch {
                // Exchanged since the sample was taken.
                if error.errno == .noSuchFileOrDirectory { continue }
                throw XDPError(error, during: "The cost of program \(id) cannot be read")
            }
            let now = Reading(
                programID: id, time: MonotonicTime.now(), runTime: information.runTime,
                runCount: information.runCount)
            readings[sample.index] = now
            guard let before = last[sample.index], before.programID == id else { continue }
            let packets = now.runCount &- before.runCount
            let gross = Double(now.runTime &- before.runTime)
            costs.append(
                ChainCost(
                    interface: sample.interface, index: sample.index, programID: id, packets: packets,
                    nanoseconds: max(gross - overhead * Double(packets), 0),
                    seconds: Double(now.time &- before.time) / 1e9))
        }
        last = readings
        return costs
    }

    /// A program that does nothing takes as long as the measurement itself.
    private static func measureOverhead() throws(XDPError) -> Double {
        do throws(BPFError) {
            let program = try Program.load(.passing("xdpctl_empty")).take()
            let packet = [UInt8](repeating: 0, count: 64)
            var best = Double.infinity
            for _ in 0..<3 {
                let before = try program.information()
                _ = try program.testRun(packet, repeats: 2000)
                let after = try program.information()
                let runs = after.runCount &- before.runCount
                if runs > 0 { best = min(best, Double(after.runTime &- before.runTime) / Double(runs)) }
            }
            return best.isFinite ? best : 0
        } catch {
            throw failure(error)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Netlink
import Packets
import TestSupport
import Testing
import XDP

@Suite("Exploration")
struct LossExploration {
    static func note(_ text: String) { print("FACT \(text)") }

    static func attempt(_ what: String, _ body: () throws -> Any) {
        do { note("\(what): \(try body())") } catch { note("\(what): ERROR \(error)") }
    }

    @Test func targets() throws {
        for mode in [ModeRequest.native, .generic] {
            for kind in ["veth", "vethopen", "bridge", "vlan", "lo", "ifb", "dummy", "macvlan"] {
                Self.attempt("redirect \(mode) \(kind)") {
                    let b = try LossBench()
                    var target = "out", receiver = "sink"
                    switch kind {
                    case "vethopen": try b.openEnd()
                    case "bridge":
                        try b.ip("link", "add", "br", "type", "bridge")
                        try b.ip("link", "set", "out", "master", "br")
                        try b.ip("link", "set", "br", "up")
                        target = "br"
                    case "vlan":
                        try b.ip("link", "add", "link", "out", "name", "vl", "type", "vlan", "id", "5")
                        try b.ip("link", "set", "vl", "up")
                        target = "vl"
                    case "macvlan":
                        try b.ip("link", "add", "link", "out", "name", "mv", "type", "macvlan")
                        try b.ip("link", "set", "mv", "up")
                        target = "mv"
                    case "lo":
                        try b.ip("link", "set", "lo", "up")
                        target = "lo"; receiver = "lo"
                    case "ifb", "dummy":
                        try b.ip("link", "add", "x", "type", kind)
                        try b.ip("link", "set", "x", "up")
                        target = "x"; receiver = "x"
                    default: break
                    }
                    let index = try b.index(target)
                    var request = LoadRequest(path: try Fixture.path("redirect"))
                    request.variables["target"] = "\(index)"
                    try b.bench.edit("tap") { [request] e throws(XDPError) in try e.load([request], mode: mode) }
                    usleep(100_000)
                    let n = try b.arrived(10, at: receiver)
                    let stats = try b.ip("-s", "link", "show", "dev", target).output.split(separator: "\n").suffix(1).joined()
                    return "\(n) tx: \(stats)"
                }
            }
        }
    }

    @Test func maps() throws {
        for mode in [ModeRequest.native, .generic] {
            for fixture in ["cpumap_drop", "cpumap"] {
                for filled in [false, true] {
                    Self.attempt("\(fixture) \(mode) filled=\(filled)") {
                        let b = try LossBench()
                        let request = LoadRequest(path: try Fixture.path(fixture))
                        try b.bench.edit("tap") { e throws(XDPError) in try e.load([request], mode: mode) }
                        if filled {
                            try b.bench.chain("tap").map("cpus", of: fixture).map.update(
                                [0, 0, 0, 0], to: [192, 0, 0, 0, 0, 0, 0, 0])
                        }
                        usleep(100_000)
                        return try b.arrived(10, at: "tap")
                    }
                }
            }
            for (fixture, key) in [("devmap", UInt8(0)), ("devmap_hash", 7)] {
                for open in [false, true] {
                    Self.attempt("\(fixture) \(mode) open=\(open)") {
                        let b = try LossBench()
                        if open { try b.openEnd() }
                        let request = LoadRequest(path: try Fixture.path(fixture))
                        try b.bench.edit("tap") { e throws(XDPError) in try e.load([request], mode: mode) }
                        let empty = try b.arrived(10, at: "tap")
                        let index = withUnsafeBytes(of: b.out.littleEndian) { Array($0) }
                        try b.bench.chain("tap").map("devices", of: fixture).map.update([key, 0, 0, 0], to: index)
                        let full = try b.bench.chain("tap").map("devices", of: fixture).map.lookup([key, 0, 0, 0], valueSize: 4) ?? []
                        usleep(100_000)
                        let n = try b.arrived(10)
                        try b.ip("link", "del", "out")
                        let gone = try b.bench.chain("tap").map("devices", of: fixture).map.lookup([key, 0, 0, 0], valueSize: 4)
                        return "empty passed \(empty), entry \(full), arrived \(n), after del \(String(describing: gone))"
                    }
                }
            }
            for fixture in ["xskmap", "xskmap_drop", "redirect_bare", "meta_write", "unknown_verdict", "tail_user", "redirect_variable"] {
                Self.attempt("\(fixture) \(mode) on tap") {
                    let b = try LossBench()
                    let request = LoadRequest(path: try Fixture.path(fixture))
                    try b.bench.edit("tap") { e throws(XDPError) in try e.load([request], mode: mode) }
                    return try b.arrived(10, at: "tap")
                }
            }
            for open in [false, true] {
                Self.attempt("tx \(mode) open=\(open)") {
                    let b = try LossBench()
                    if open { try b.openEnd("far") }
                    let request = LoadRequest(path: try Fixture.path("tx"))
                    try b.bench.edit("near") { e throws(XDPError) in try e.load([request], mode: mode) }
                    usleep(100_000)
                    return try b.returned(10)
                }
            }
            Self.attempt("meta_write \(mode) on veth") {
                let b = try ChainBench()
                try b.loadAll("meta_write", mode: mode)
                try b.send([ChainBench.packet(for: .pass)])
                let c = try b.counters(seeing: 1)["meta_write"]
                return "pass \(c?[.pass].packets ?? 0) aborted \(c?[.aborted].packets ?? 0)"
            }
        }
        Self.attempt("helper_missing") {
            let b = try LossBench()
            let request = LoadRequest(path: try Fixture.path("helper_missing"))
            return try b.bench.edit("tap") { e throws(XDPError) in try e.load([request]) }
        }
        Self.attempt("helper_recent") {
            let b = try LossBench()
            let request = LoadRequest(path: try Fixture.path("helper_recent"))
            return try b.bench.edit("tap") { e throws(XDPError) in try e.load([request]) }.outcome
        }
        for mtu in [3498, 3506, 3507, 3520, 4096] as [UInt32] {
            Self.attempt("mtu \(mtu)") {
                let b = try ChainBench(mtu: mtu)
                try b.loadAll("pass")
                return "ok"
            }
        }
    }

    @Test(arguments: EmulatedCards.allCases.filter(\.isNative))
    func cards(_ cards: EmulatedCards) throws {
        try cards.check()
        for mode in [ModeRequest.native, .generic] {
            Self.attempt("meta_write \(mode) on \(cards)") {
                let b = try ChainBench(cards: cards)
                try b.loadAll("counters", "meta_write", mode: mode)
                for name in ["near", "far"] { _ = try Subprocess.run("nsenter", ["--net=\(b.path)", "ip", "link", "set", "dev", name, "promisc", "on"]) }
                usleep(3_000_000)
                try b.send([ChainBench.packet(for: .pass)])
                let c = try b.counters(seeing: 1)["meta_write"]
                return "pass \(c?[.pass].packets ?? 0) aborted \(c?[.aborted].packets ?? 0)"
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import XDP

@Suite("The table of helpers")
struct HelperTableTests {
    @Test("numbers and names are those of the kernel's header, as far as that goes")
    func header() throws {
        let text = try String(contentsOf: URL(filePath: "/usr/include/linux/bpf.h"), encoding: .utf8)
        // Newer headers write FN(loop, 181, ##ctx), older ones FN(loop).
        let names = text.split(separator: "\n").compactMap { line -> String? in
            let line = line.drop { $0 == " " || $0 == "\t" }
            guard line.hasPrefix("FN("), let end = line.firstIndex(where: { $0 == ")" || $0 == "," }) else {
                return nil
            }
            return "bpf_" + line[line.index(line.startIndex, offsetBy: 3)..<end]
        }.filter { $0 != "bpf_unspec" }

        #expect(names.count >= 209)
        #expect(HelperTable.all.prefix(names.count).map(\.name) == Array(names.prefix(211)))
        #expect(HelperTable.all.map(\.id) == Array(1...211))
    }

    @Test("what is not in the table has no name and is nobody's")
    func strangers() {
        #expect(HelperTable.entry(0) == nil)
        #expect(HelperTable.entry(212) == nil)
        #expect(HelperTable.entry(.max) == nil)
        #expect(HelperTable.name(300) == "helper 300")
        #expect(HelperTable.entry(named: "loop")?.id == 181)
        #expect(HelperTable.entry(named: "bpf_loop")?.id == 181)
        #expect(HelperTable.entry(named: "") == nil)
    }

    @Test(
        "releases",
        arguments: [
            ("bpf_map_lookup_elem", "3.19"), ("bpf_redirect_map", "4.14"), ("bpf_xdp_adjust_meta", "4.15"),
            ("bpf_fib_lookup", "4.18"), ("bpf_jiffies64", "5.6"), ("bpf_ringbuf_output", "5.8"),
            ("bpf_check_mtu", "5.12"), ("bpf_for_each_map_elem", "5.13"), ("bpf_timer_init", "5.15"),
            ("bpf_loop", "5.17"), ("bpf_xdp_load_bytes", "5.18"), ("bpf_ktime_get_tai_ns", "6.1"),
            ("bpf_cgrp_storage_delete", "6.2"),
        ])
    func releases(name: String, since: String) {
        #expect(HelperTable.entry(named: name)?.since == since)
    }

    @Test(
        "every release is a number of two parts, and the helpers of a number came in its order or one later")
    func plausible() {
        var latest = 0
        for entry in HelperTable.all {
            let parts = entry.since.split(separator: ".").compactMap { Int($0) }
            #expect(parts.count == 2, "\(entry)")
            guard parts.count == 2 else { continue }
            let release = parts[0] * 100 + parts[1]
            // Numbers are given when trees are merged, so neighbours can be a release apart.
            #expect(release >= latest - 1, "\(entry)")
            latest = max(latest, release)
        }
    }

    @Test("kernel functions are named once")
    func functions() {
        let names = KernelFunctionTable.all.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(KernelFunctionTable.entry(named: "bpf_xdp_metadata_rx_hash")?.since == "6.3")
        #expect(KernelFunctionTable.entry(named: "bpf_xdp_flow_lookup")?.module == "nf_flow_table")
    }
}

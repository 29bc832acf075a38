// SPDX-License-Identifier: Apache-2.0
import BPF

/// File systems that work with XDP needs.
enum FileSystemCheck: MachineCheck {
    static let group = CheckGroup.fileSystems

    static func check(_ facts: MachineFacts, into findings: inout Findings) {
        checkPins(facts, &findings)
        checkTracing(facts, &findings)
        checkTypes(facts, &findings)
    }

    private static func checkPins(_ facts: MachineFacts, _ findings: inout Findings) {
        let place = BPFFileSystem.standardPath
        if let root = facts.fileSystems.first(where: { $0.hasSuffix(place) }) {
            findings.fine(.bpffs, of: place, "the BPF file system is mounted", evidence: ["\(root): bpf"])
            return
        }
        guard case .known(let mounts) = facts.mounts else {
            findings.unknown(.bpffs, of: place, because: "the mounts cannot be read")
            return
        }
        let elsewhere = mounts.filter { $0.fileSystem == "bpf" }.map { "\($0.path): bpf" }
        findings.add(
            .bpffs, of: place, "the BPF file system is not mounted there",
            evidence: elsewhere.isEmpty ? ["/proc/self/mountinfo has none"] : elsewhere,
            consequence: "chains are kept by pins there; xdpctl mounts it where it may, others do not",
            remedy: "`mount -t bpf bpf \(place)`; systemd does it at the start",
            repair: .mount(type: "bpf", at: place))
    }

    private static func checkTracing(_ facts: MachineFacts, _ findings: inout Findings) {
        let place = "/sys/kernel/tracing"
        guard case .known(let mounts) = facts.mounts else {
            if case .unknown(let reason) = facts.mounts {
                findings.unknown(.tracefs, of: place, because: reason)
            }
            return
        }
        if let mount = mounts.first(where: { $0.fileSystem == "tracefs" }) {
            findings.fine(
                .tracefs, of: place, "the file system of tracing is mounted",
                evidence: ["\(mount.path): tracefs"])
        } else {
            findings.add(
                .tracefs, of: place, "the file system of tracing is not mounted",
                evidence: ["/proc/self/mountinfo has no tracefs"],
                consequence:
                    "what programs print (`bpf_printk`) cannot be read, and tracepoints of XDP (`xdp:*`), "
                    + "which tell why packets are lost, cannot be used by perf, bpftrace and others",
                remedy: "`mount -t tracefs tracefs \(place)`", repair: .mount(type: "tracefs", at: place))
        }
    }

    private static func checkTypes(_ facts: MachineFacts, _ findings: inout Findings) {
        let place = "/sys/kernel/btf/vmlinux"
        switch facts.kernelTypes {
        case .unknown(let reason): findings.unknown(.kernelTypes, of: place, because: reason)
        case .known(0):
            findings.add(
                .kernelTypes, of: place, "the kernel has no types of its own (BTF)",
                evidence: ["\(place) is not there"],
                consequence:
                    "programs built to run anywhere (CO-RE) that read its structures, kernel functions "
                    + "(kfuncs) and typed tracepoints do not work",
                remedy: "Take a kernel that was built with CONFIG_DEBUG_INFO_BTF=y", repair: .byHand)
        case .known(let size):
            findings.fine(
                .kernelTypes, of: place, "the kernel has types of its own (BTF)",
                evidence: ["\(place): \(size) bytes"])
        }
    }
}

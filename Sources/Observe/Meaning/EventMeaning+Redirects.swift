// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc

// Packets that did not get to where programs sent them (net/core/filter.c, kernel/bpf/devmap.c, net/xdp/xsk.c).
extension EventMeaning {
    static var redirects: [Entry] {
        func failed(
            _ rule: String, _ errors: [CInt], _ applies: @escaping (XDPEvent.Key) -> Bool = { _ in true },
            _ meaning: @escaping (Subject) -> String, remedy: @escaping (Subject) -> String?
        ) -> Entry {
            Entry(
                rule: rule,
                applies: { key, _ in
                    key.kind == .redirectError && (errors.isEmpty || errors.contains(-key.error))
                        && applies(key)
                },
                what: { subject in
                    rule == "redirect-nowhere"
                        ? "\(subject.program) answered redirect without saying where to"
                        : "\(subject.program) could not redirect to \(subject.destination)"
                }, meaning: meaning, remedy: remedy)
        }
        // BPF_MAP_TYPE_XSKMAP
        let isSocket: (XDPEvent.Key) -> Bool = { $0.mapType == 17 }
        let isProcessor: (XDPEvent.Key) -> Bool = { $0.mapType == MapType.processorMap.rawValue }
        return [
            failed("redirect-cpumap", [EBADRQC], isProcessor) { _ in
                "this kernel hands no packets to other CPUs in generic mode; they are lost"
            } remedy: { _ in
                "Use native mode, or Linux 5.15 or newer"
            },
            failed("redirect-nowhere", [EBADRQC], { $0.map == 0 }) { _ in
                "packets were dropped: the program returned XDP_REDIRECT, but called neither bpf_redirect nor "
                    + "bpf_redirect_map for the packet, or that failed"
            } remedy: { _ in
                "Mend the program: return what bpf_redirect or bpf_redirect_map returned"
            },
            // Before Linux 5.12.
            failed("redirect-nowhere", [EINVAL], { $0.map == 0 && $0.target == 0 }) { _ in
                "packets were dropped: the program returned XDP_REDIRECT, but called neither bpf_redirect nor "
                    + "bpf_redirect_map for the packet, or redirected to interface 0"
            } remedy: { _ in
                "Mend the program: return what bpf_redirect or bpf_redirect_map returned"
            },
            failed("redirect-missing", [EINVAL], { $0.map == 0 }) { subject in
                "packets were dropped: \(subject.interface)'s network namespace has no interface \(subject.key.target)"
            } remedy: { _ in
                "Set the program's target with --set, to what `ip link` shows before the name"
            },
            failed("redirect-target", [EOPNOTSUPP]) { subject in
                "packets were dropped: "
                    + (subject.names.targetObstacle ?? "the target takes no packets from programs")
            } remedy: { subject in
                subject.names.targetRemedy
                    ?? "`xdpctl features` shows which interfaces take packets (ndo-xmit); with --mode generic all do"
            },
            failed("redirect-down", [ENETDOWN]) { subject in
                "packets were dropped: \(subject.target) is down"
            } remedy: { subject in
                "`ip link set dev \(subject.target) up`"
            },
            failed("redirect-size", [EMSGSIZE, E2BIG]) { subject in
                let size = subject.names.targetMTU
                return "packets were dropped: they are larger than the MTU of \(subject.target)"
                    + (size > 0 ? ", \(size)" : "")
            } remedy: { subject in
                "Raise the MTU of \(subject.target), or lower that of \(subject.interface) or of who sends"
            },
            failed("redirect-headroom", [EOVERFLOW]) { _ in
                "packets were dropped: the program used up the room in front of the packet that redirecting needs"
            } remedy: { _ in
                "Mend the program: leave 40 bytes in front of packet and metadata"
            },
            failed("socket-unbound", [ENXIO], isSocket) { _ in
                "packets were dropped: the socket in the map is not bound to a queue, or no longer"
            } remedy: { _ in
                "Restart the program that opens the AF_XDP socket"
            },
            failed("socket-queue", [EINVAL], isSocket) { subject in
                "packets were dropped: the socket in \(subject.map) is bound to another queue than the packet came by"
            } remedy: { _ in
                "Use the packet's queue (rx_queue_index) as the key, and a socket on each queue that receives "
                    + "packets"
            },
            failed("socket-fill", [ENOMEM], isSocket) { _ in
                "packets were dropped: the socket's fill ring is empty, because its program gives no buffers back"
            } remedy: { _ in
                "The program reads too slowly, or not at all: see that it runs, or give it a larger ring"
            },
            failed("socket-full", [ENOBUFS], isSocket) { _ in
                "packets were dropped: the socket's receive ring is full, because its program does not read it"
            } remedy: { _ in
                "The program reads too slowly, or not at all: see that it runs, or give it a larger ring"
            },
            failed("socket-room", [ENOSPC], isSocket) { _ in
                "packets were dropped: they do not fit a buffer of the socket, or (before Linux 5.19) its rings "
                    + "have no room"
            } remedy: { _ in
                "See that the socket's program reads; make its buffers as large as the MTU"
            },
            failed("cpumap-full", [ENOSPC, ENOBUFS], isProcessor) { subject in
                "packets were dropped: the queue of CPU \(subject.key.mapKey) in \(subject.map) is full"
            } remedy: { _ in
                processorRemedy
            },
            failed("redirect-entry", [EINVAL], { $0.mapType != 0 }) { _ in
                "packets were dropped: the map's entry does not take them"
            } remedy: { _ in
                "Look at the entry: `bpftool map dump`"
            },
            failed("redirect-error", []) { subject in
                "packets were dropped: \(subject.error)"
            } remedy: { subject in
                "`xdpctl features` shows what the interfaces can; `ethtool -S \(subject.target)` counts what its driver "
                    + "drops"
            },
        ]
    }

    static let processorRemedy =
        "The CPU cannot keep up: make the entry's queue longer (qsize), or spread packets over more CPUs"

    static var transmissions: [Entry] {
        func lost(
            _ rule: String, _ kind: XDPEvent.Kind, _ errors: [CInt],
            _ meaning: @escaping (Subject) -> String, remedy: @escaping (Subject) -> String?
        ) -> Entry {
            Entry(
                rule: rule,
                applies: { key, _ in key.kind == kind && (errors.isEmpty || errors.contains(-key.error)) },
                what: { subject in
                    if subject.event.dropped == 0 {
                        return kind == .bulkTransmit
                            ? "sent packets back by \(subject.interface)"
                            : "handed packets from \(subject.interface) to \(subject.target)"
                    }
                    return kind == .bulkTransmit
                        ? "packets that were answered tx could not be sent back by \(subject.interface)"
                        : "packets from \(subject.interface) were not taken by \(subject.target)"
                },
                meaning: { $0.event.dropped == 0 ? "as it should be" : meaning($0) },
                remedy: { $0.event.dropped == 0 ? nil : remedy($0) })
        }
        return [
            lost("transmit-peer", .bulkTransmit, [ENXIO]) { subject in
                "they were dropped: \(subject.interface) has no queue for them; of a veth, the other end takes no packets "
                    + "from programs, or is down"
            } remedy: { subject in
                subject.names.peerRemedy
                    ?? "Set the other end up; on a card see with `ethtool -l` that there are queues left for XDP"
            },
            lost("transmit-down", .bulkTransmit, [ENETDOWN]) { subject in
                "they were dropped: \(subject.interface) is down"
            } remedy: { subject in
                "`ip link set dev \(subject.interface) up`"
            },
            lost("transmit-full", .bulkTransmit, []) { subject in
                "they were dropped: the queue is full"
                    + (subject.key.error == 0 ? "" : ", or the driver refused them: \(subject.error)")
            } remedy: { subject in
                "Who receives is slower than who sends; larger rings help for moments: `ethtool -G \(subject.interface)`"
            },
            lost("devmap-queue", .devmapTransmit, [ENXIO]) { subject in
                "they were dropped: "
                    + (subject.names.targetObstacle
                        ?? "\(subject.target) has no queue for them, or nobody at its other end takes them")
            } remedy: { subject in
                subject.names.targetRemedy
                    ?? "Many drivers have queues for them only with a program of their own: load any on \(subject.target); of "
                    + "a veth set the other end up"
            },
            lost("devmap-down", .devmapTransmit, [ENETDOWN]) { subject in
                "they were dropped: \(subject.target) is down"
            } remedy: { subject in
                "`ip link set dev \(subject.target) up`"
            },
            lost("devmap-full", .devmapTransmit, []) { subject in
                "they were dropped: the queue of \(subject.target) is full, or the program in the map's entry dropped "
                    + "them"
                    + (subject.key.error == 0 ? "" : ", or the driver refused them: \(subject.error)")
            } remedy: { subject in
                "Who receives is slower than who sends; larger rings help for moments: `ethtool -G \(subject.target)`"
            },
        ]
    }

    static var processors: [Entry] {
        func lost(
            _ rule: String, _ kind: XDPEvent.Kind, _ lost: String, _ fine: String,
            _ meaning: String, remedy: String
        ) -> Entry {
            Entry(
                rule: rule, applies: { key, _ in key.kind == kind },
                what: { "CPU \($0.key.cpu) of \($0.map) \($0.event.dropped == 0 ? fine : lost)" },
                meaning: { $0.event.dropped == 0 ? "as it should be" : meaning },
                remedy: { $0.event.dropped == 0 ? nil : remedy })
        }
        return [
            lost(
                "cpumap-queue", .cpumapEnqueue, "had no room for packets", "got packets",
                "they were dropped: its queue is full", remedy: processorRemedy),
            lost(
                "cpumap-memory", .cpumapRun, "could not hand packets to the network stack",
                "handed packets to the network stack",
                "they were dropped: the kernel had no memory for them, or (before Linux 5.13) the network stack did not want them",
                remedy: "Look at the machine's memory: `free -m`, and the kernel's log"),
        ]
    }
}

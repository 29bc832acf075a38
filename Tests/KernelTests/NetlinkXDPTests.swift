// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import Netlink
import SystemPackage
import Testing

/// XDP programs attached over netlink, on the real kernel. Needs root.
@Suite("XDP over rtnetlink on the kernel")
struct NetlinkXDPTests {
    @Test("a program is attached, shown in its mode, and detached", arguments: [XDPMode.native, .generic])
    func attach(_ mode: XDPMode) throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        let index = try route.createVeth("near", peer: "far").index
        let program = try PassProgram()

        try route.attachXDP(program.descriptor, to: index, mode: mode, expecting: .nothing)
        let attached = try route.link(index: index)
        try route.detachXDP(from: index, mode: mode, expecting: .program(program.descriptor))
        let detached = try route.link(index: index)

        #expect(attached.attachments == [XDPAttachment(mode: mode, programID: program.id)])
        #expect(detached.attachments.isEmpty)
    }

    @Test("without a wanted mode the driver's own is taken where it has one")
    func unspecifiedMode() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        let veth = try route.createVeth("near", peer: "far").index
        let bridge = try route.createLink("bridge", kind: "bridge").index
        let program = try PassProgram()

        for index in [veth, bridge] {
            try route.attachXDP(program.descriptor, to: index, mode: .unspecified, expecting: .anything)
        }

        #expect(try route.link(index: veth).xdp?.mode == .native)
        #expect(try route.link(index: bridge).xdp?.mode == .generic)
    }

    @Test("what is attached is replaced only by who expects it")
    func expectations() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        let index = try route.createVeth("near", peer: "far").index
        let first = try PassProgram()
        let second = try PassProgram()
        let third = try PassProgram()
        func attach(_ program: CInt, _ expectation: XDPExpectation) -> NetlinkError? {
            failure { () throws(NetlinkError) in
                try route.attachXDP(program, to: index, mode: .native, expecting: expectation)
            }
        }

        #expect(attach(first.descriptor, .program(second.descriptor))?.errno == .fileExists)
        #expect(attach(first.descriptor, .nothing) == nil)
        let occupied = attach(second.descriptor, .nothing)
        let wrong = attach(second.descriptor, .program(third.descriptor))
        #expect(try route.link(index: index).xdp?.programID == first.id)
        #expect(attach(second.descriptor, .program(first.descriptor)) == nil)
        #expect(attach(third.descriptor, .anything) == nil)
        let wrongDetach = failure { () throws(NetlinkError) in
            try route.detachXDP(from: index, mode: .native, expecting: .program(first.descriptor))
        }

        #expect(occupied?.errno == .resourceBusy)
        #expect(occupied?.kernelMessage == "XDP program already attached")
        #expect(wrong?.errno == .fileExists)
        #expect(wrong?.kernelMessage == "Active program does not match expected")
        #expect(wrongDetach?.errno == .fileExists)
        #expect(try route.link(index: index).xdp?.programID == third.id)
    }

    @Test("one mode excludes the other")
    func otherMode() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        let index = try route.createVeth("near", peer: "far").index
        let program = try PassProgram()
        try route.attachXDP(program.descriptor, to: index, mode: .native, expecting: .nothing)

        let error = failure { () throws(NetlinkError) in
            try route.attachXDP(program.descriptor, to: index, mode: .generic, expecting: .anything)
        }

        #expect(error?.errno == .fileExists)
        #expect(error?.operation == "attach the program in generic mode")
        #expect(error?.subject == "interface near (index \(index))")
        #expect(error?.kernelMessage?.contains("can't be active at the same time") == true)
    }

    @Test("an interface without native XDP says so")
    func noNativeMode() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        let bridge = try route.createLink("bridge", kind: "bridge").index
        let program = try PassProgram()

        let error = failure { () throws(NetlinkError) in
            try route.attachXDP(program.descriptor, to: bridge, mode: .native, expecting: .nothing)
        }

        #expect(error?.errno == .notSupportedOnSocket)
        #expect(error?.kernelMessage != nil)
    }

    @Test("a change of program on an interface that is up is told")
    func notification() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        let index = try route.createVeth("near", peer: "far").index
        try route.setUp(index)
        let program = try PassProgram()
        var monitor = try LinkMonitor(in: namespace)

        try route.attachXDP(program.descriptor, to: index, mode: .native, expecting: .nothing)

        var seen: XDPAttachment?
        while seen == nil, let event = try monitor.next(timeoutMilliseconds: 1000) {
            if event.link.index == index { seen = event.link.xdp }
        }
        #expect(seen == XDPAttachment(mode: .native, programID: program.id))
    }

    @Test("the list of interfaces shows the programs too")
    func listed() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        let index = try route.createVeth("near", peer: "far").index
        let program = try PassProgram()
        try route.attachXDP(program.descriptor, to: index, mode: .native, expecting: .nothing)

        let attachments = try route.links().flatMap(\.attachments)

        #expect(attachments == [XDPAttachment(mode: .native, programID: program.id)])
    }
}

/// A loaded program that passes every packet, made of two instructions.
private struct PassProgram: ~Copyable {
    let descriptor: CInt
    let id: UInt32

    init() throws {
        var move = bpf_insn()
        move.code = 0xB7  // r0 = imm
        move.imm = 2  // XDP_PASS
        var exit = bpf_insn()
        exit.code = 0x95
        let loaded = bpf_prog_load(BPF_PROG_TYPE_XDP, "pass", "GPL", [move, exit], 2, nil)
        if loaded < 0 { throw Errno(rawValue: -loaded) }
        var info = bpf_prog_info()
        var size = UInt32(MemoryLayout<bpf_prog_info>.size)
        let code = bpf_obj_get_info_by_fd(loaded, &info, &size)
        if code < 0 { throw Errno(rawValue: -code) }
        descriptor = loaded
        id = info.id
    }

    deinit {
        _ = close(descriptor)
    }
}

// SPDX-License-Identifier: Apache-2.0
import BPF

/// Code that sees packets at points of a chain and changes nothing: no packet, no verdict, no way.
///
/// The linker puts a call at each point of ``selection``:
///
///     w1 = the word at the beginning of the guard's map
///     if (w1 & TapGuard.alive) == 0 goto on              (one dead branch once the owner is gone)
///     r1 = ctx
///     r2 = number of the point: its place in ``points``
///     r3 = the verdict, 32 bits; ``noVerdict`` at start and entry
///     r4 = address of 8 bytes of stack, the tap's own for the packet, zero when it enters the chain
///     r5 = 1 where every packet lies in one buffer, because the chain is not loaded as xdp.frags; else 0
///     call the unit's main function, whose result is ignored
///
/// Entry taps come before the member sees the packet, exit taps before its verdict is counted, end taps right before the
/// chain's last instruction. At a place with several, the chain's order is kept. No tap sees the 8 bytes of another one. They
/// start anew in each further segment of a chain that one program cannot hold. The verifier is not told that they are zero at
/// first: so it has not to walk the rest of the chain for that case too. A packet that a further segment could not take gets
/// the fallback verdict, and its end is that of the member which the segment begins with.
///
/// r5 is a constant of the chain, written anew with every change of it: the verifier follows only one side of a question about it,
/// and the kernel takes out the other one. So a tap whose unit stays as it is has the shorter code where that is enough.
///
/// The unit is one function of at most ``maximumStack`` bytes. It must not change the packet, call helpers that do
/// (`bpf_xdp_adjust_…`, `bpf_redirect…`, `bpf_tail_call`), or call what is for GPL programs only: a chain may have members
/// of other licences. It has to take packets of several buffers.
public struct Tap: Sendable, Hashable {
    /// Unique among the chain's taps: "capture-1234".
    public var name: String
    /// For people: what it is for, as it was typed.
    public var purpose: String
    /// The process that reads what it writes, as process 1 of its own namespace sees it.
    public var process: UInt32
    public var unit: Unit
    /// The kernel's ids of the maps, in the order of `unit.maps`.
    public var mapIDs: [UInt32]
    /// The place in `unit.maps` of the map with the guard's word (``TapGuard``): an array of one value of 8 bytes or more, which
    /// can be mapped into memory.
    public var guardMap: Int
    public var selection: TapSelection
    /// Every point that ever was in the chain as long as the tap is, by its number; new ones come at the end
    /// (``Chain/settleTaps()``).
    public var points: [TapPoint]

    /// What stands for the verdict where there is none yet.
    public static let noVerdict: UInt32 = .max
    /// Bytes of stack that the unit may use.
    public static let maximumStack = 192
    /// Points that one tap can have: beyond that there is no room for their counters.
    public static let maximumPoints = 1024

    public init(
        name: String, purpose: String, process: UInt32, unit: Unit, mapIDs: [UInt32], guardMap: Int,
        selection: TapSelection
    ) {
        self.name = name
        self.purpose = purpose
        self.process = process
        self.unit = unit
        self.mapIDs = mapIDs
        self.guardMap = guardMap
        self.selection = selection
        points = []
    }
}

/// The word that says whether somebody still reads what a tap writes.
///
/// It is the owner's thread id, and it is in the owner's list of robust futexes (Documentation/locking/robust-futexes.rst of
/// Linux): when the thread ends, in whatever way, the kernel itself sets the id to zero.
public enum TapGuard {
    /// The bits of a thread id (`FUTEX_TID_MASK`, linux/futex.h).
    public static let alive: UInt32 = 0x3fff_ffff
}

/// Why a chain is there although nobody loaded a member, or adopted what runs: for the time of its taps.
public enum ChainLoan: Sendable, Hashable {
    /// Nothing was attached; the chain goes with the last tap unless it got members.
    case made
    /// A program of somebody else was; the member of that name is given back with the last tap, unless others joined.
    case adopted(String)
}

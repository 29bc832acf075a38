// SPDX-License-Identifier: Apache-2.0

/// What a program on an interface cost in a stretch of time.
public struct ChainCost: Sendable, Hashable {
    public var interface: String
    public var index: UInt32
    public var programID: UInt32
    /// Runs of the program: packets.
    public var packets: UInt64
    /// Nanoseconds of it on all CPUs, as the kernel measured them, without what measuring itself takes.
    public var nanoseconds: Double
    /// How long it was.
    public var seconds: Double

    public init(
        interface: String, index: UInt32, programID: UInt32, packets: UInt64, nanoseconds: Double,
        seconds: Double
    ) {
        self.interface = interface
        self.index = index
        self.programID = programID
        self.packets = packets
        self.nanoseconds = nanoseconds
        self.seconds = seconds
    }

    public var packetsPerSecond: Double { seconds > 0 ? Double(packets) / seconds : 0 }
    /// nil where no packet came.
    public var nanosecondsPerPacket: Double? { packets > 0 ? nanoseconds / Double(packets) : nil }
    /// Of one CPU: 100 is one that does nothing else.
    public var percentOfCPU: Double { seconds > 0 ? nanoseconds / seconds / 1e7 : 0 }
}

// SPDX-License-Identifier: Apache-2.0
import CBPF

extension RouteSocket {
    /// Attaches an XDP program to an interface, without a bpf_link: it stays until somebody detaches it.
    ///
    /// - Parameters:
    ///   - program: the descriptor of a loaded program.
    ///   - index: the interface.
    ///   - mode: where it shall run.
    ///   - expectation: what must be attached in that mode now. `.program` needs Linux 5.7.
    /// - Returns: the kernel's warning, if it had one.
    ///
    /// Throws `EBUSY` with `.nothing` when a program is attached, and whenever a bpf_link holds the
    /// interface; `EEXIST` with `.program` when another is attached, and when a program is attached in the
    /// other mode; `EOPNOTSUPP` when the driver cannot do the mode; `ERANGE` when the MTU is too large for
    /// the driver.
    @discardableResult
    public mutating func attachXDP(
        _ program: CInt, to index: UInt32, mode: XDPMode, expecting expectation: XDPExpectation
    ) throws(NetlinkError) -> String? {
        try setXDP(
            program, on: index, mode: mode, expecting: expectation,
            operation: "attach the program\(mode.phrase)")
    }

    /// Detaches the XDP program of an interface.
    ///
    /// - Parameters:
    ///   - index: the interface.
    ///   - mode: the mode of the program; naming the other one leaves it attached, without an error.
    ///   - expectation: what must be attached now; `.nothing` detaches nothing and only checks.
    ///     `.program` needs Linux 5.7.
    ///
    /// Throws `EEXIST` with `.program` when another is attached; `EBUSY` when a bpf_link holds the interface.
    /// Nothing attached is no error with `.anything`.
    public mutating func detachXDP(
        from index: UInt32, mode: XDPMode, expecting expectation: XDPExpectation
    ) throws(NetlinkError) {
        _ = try setXDP(
            -1, on: index, mode: mode, expecting: expectation,
            operation: "detach the program\(mode.phrase)")
    }

    private mutating func setXDP(
        _ program: CInt, on index: UInt32, mode: XDPMode, expecting expectation: XDPExpectation,
        operation: String
    ) throws(NetlinkError) -> String? {
        try change(index, operation: operation, type: RTM_SETLINK) { message in
            Self.appendXDP(program, mode: mode, expecting: expectation, to: &message)
        }.warning
    }

    /// Writes the request's `IFLA_XDP`.
    static func appendXDP(
        _ program: CInt, mode: XDPMode, expecting expectation: XDPExpectation,
        to message: inout MessageBuilder
    ) {
        message.nest(IFLA_XDP) { xdp in
            xdp.attribute(IFLA_XDP_FD, int32: program)
            switch expectation {
            case .anything:
                xdp.attribute(IFLA_XDP_FLAGS, uint32: mode.flags)
            case .nothing where program >= 0:
                xdp.attribute(IFLA_XDP_FLAGS, uint32: mode.flags | UInt32(XDP_FLAGS_UPDATE_IF_NOEXIST))
            case .nothing:
                xdp.attribute(IFLA_XDP_FLAGS, uint32: mode.flags | UInt32(XDP_FLAGS_REPLACE))
                xdp.attribute(IFLA_XDP_EXPECTED_FD, int32: -1)
            case .program(let expected):
                xdp.attribute(IFLA_XDP_FLAGS, uint32: mode.flags | UInt32(XDP_FLAGS_REPLACE))
                xdp.attribute(IFLA_XDP_EXPECTED_FD, int32: expected)
            }
        }
    }
}

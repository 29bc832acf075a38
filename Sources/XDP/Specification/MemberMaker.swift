// SPDX-License-Identifier: Apache-2.0
import BPF

/// Makes a member of a chain out of something else than an object.
public protocol MemberMaker: Sendable {
    /// Where it comes from, as plans show it.
    var origin: String { get }
    /// Why a member is not what would be made; empty where it is.
    func differences(from present: Member) -> [String]
    /// Makes the member. Its place in the chain, its edges and the counters of its verdicts are not its business.
    ///
    /// - Parameter present: the member of that name that runs, of which things may be taken over.
    func make(_ name: String, replacing present: Member?) throws(XDPError) -> MadeMember
}

/// A member that is ready to be put into a chain; its maps live as long as this.
public struct MadeMember: Sendable {
    public var member: Member
    public let maps: [MapHandle]
    /// What can be done only once the member runs; says what the user should know.
    public let finish: @Sendable () -> [String]

    public init(member: Member, maps: [MapHandle], finish: @escaping @Sendable () -> [String]) {
        self.member = member
        self.maps = maps
        self.finish = finish
    }
}

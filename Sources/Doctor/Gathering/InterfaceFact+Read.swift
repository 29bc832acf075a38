// SPDX-License-Identifier: Apache-2.0
import BPF
import Netlink
import XDP

extension InterfaceFact {
    /// Reads the interfaces of the calling thread's network namespace, and what runs on them.
    public static func readAll() -> Fact<[InterfaceFact]> {
        do throws(XDPError) {
            return .known(try Interface.all().map { InterfaceFact($0) })
        } catch {
            return .unknown(error.description)
        }
    }

    private init(_ interface: Interface) {
        self.init(name: interface.name.withoutControls, native: .unknown("it was not asked"))
        attachments = interface.link.attachments.map {
            Attachment(mode: Self.mode($0.mode), programID: $0.programID)
        }
        guard !attachments.isEmpty, case .chain(let active)? = try? interface.occupant(),
            let place = attachments.firstIndex(where: { $0.programID == active.programID })
        else { return }
        attachments[place].mode = active.mode
        attachments[place].members = active.manifest.chain.members.map(\.name)
        attachments[place].fellBack = active.manifest.fellBack
    }

    private static func mode(_ mode: XDPMode) -> AttachMode {
        switch mode {
        case .generic: .generic
        case .offload: .offload
        case .native, .unspecified: .native
        }
    }
}

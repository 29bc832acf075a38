// SPDX-License-Identifier: Apache-2.0
import BPF
import Netlink
import XDP

extension InterfaceFact {
    /// Reads the interfaces of the calling thread's network namespace, and what runs on them.
    public static func readAll() -> Fact<[InterfaceFact]> {
        let interfaces: [Interface]
        do throws(XDPError) {
            interfaces = try Interface.all()
        } catch {
            return .unknown(error.description)
        }
        var features: [UInt32: InterfaceFeatures] = [:]
        var reason = "it came while the others were looked at"
        do throws(XDPError) {
            for feature in try InterfaceFeatures.all() { features[feature.index] = feature }
        } catch {
            reason = error.description
        }
        return .known(interfaces.map { InterfaceFact($0, features[$0.index], reason) })
    }

    private init(_ interface: Interface, _ features: InterfaceFeatures?, _ reason: String) {
        self.init(
            name: interface.name.withoutControls, native: features?.native ?? .unknown(reason),
            obstacles: features?.obstacles ?? [])
        attachments = interface.link.attachments.map {
            Attachment(mode: Self.mode($0.mode), programID: $0.programID)
        }
        guard !attachments.isEmpty, case .chain(let active)? = try? interface.occupant(),
            let place = attachments.firstIndex(where: { $0.programID == active.programID })
        else { return }
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

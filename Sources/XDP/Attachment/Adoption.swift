// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import SystemPackage

/// Finds out whether a chain can call a program that somebody else loaded, and what the chain has to be loaded
/// for then.
///
/// The kernel lets a program call only its like: both have to agree in what they were loaded for and in the
/// handling of several buffers, and it tells neither of a loaded program. So the program is put into a fresh
/// array, and programs of each kind are tried that use it.
struct Adoption {
    let member: Member
    /// The array of one place in which the program stands.
    let array: MapHandle

    /// What a program may have been loaded for; Linux 5.10 does not tell the two apart in an array.
    static let attachTypes: [AttachType] = [.xdp, .unspecified]

    /// - Parameters:
    ///   - attachTypes: what to try.
    ///   - what: the sentence that fails.
    init(
        of program: borrowing Program, _ foreign: ForeignProgram, as name: String,
        attachTypes: [AttachType] = attachTypes, what: String
    ) throws(XDPError) {
        let information = foreign.information
        let isReplaced: Bool
        do throws(BPFError) {
            isReplaced = try EntryReplacement.concerns(program, information)
            array = try MapHandle(BPFMap.programArray("xdpctl_member", places: 1))
        } catch {
            throw XDPError(error, during: what)
        }
        if isReplaced { throw Self.replaced(information, what) }
        do throws(BPFError) {
            try array.map.setProgram(program, at: 0)
        } catch {
            throw Self.refusal(error, information, what)
        }
        guard let kind = Self.kind(of: array, among: attachTypes) else {
            throw XDPError(
                .refused, what,
                because: "no program of this kernel can call program \(information.id) "
                    + "(\(information.name)): neither one for interfaces nor one of unspecified kind takes it",
                remedy:
                    "It was loaded for something else than an interface; load its object as a member instead")
        }
        let unit = Unit(
            program: information.name, section: "", license: "", supportsFrags: kind.supportsFrags,
            instructions: [])
        var member = Member(name: name, origin: "", digest: [], unit: unit, mapIDs: [])
        member.separate = SeparateProgram(
            programID: information.id, arrayID: array.id, supportsFrags: kind.supportsFrags,
            reason: "somebody else loaded it")
        member.adopted = AdoptedProgram(information, linkID: foreign.linkID, attachType: kind.attachType)
        self.member = member
    }

    /// What a member is called when nothing is said: the program's name as far as it can be one.
    static func name(for information: ProgramInformation) -> String {
        Member.isValid(name: information.name) ? information.name : "program-\(information.id)"
    }

    private static func kind(
        of array: MapHandle, among attachTypes: [AttachType]
    ) -> (attachType: AttachType, supportsFrags: Bool)? {
        for attachType in attachTypes {
            for supportsFrags in [false, true] {
                var instructions = Instruction.loadMap(
                    .r2, descriptor: array.map.descriptor.rawValue)
                instructions += [
                    .move(.r3, 0), .call(helper: CallStub.tailCall),
                    .move(.r0, Int32(Verdict.pass.rawValue)), .exit,
                ]
                var image = ProgramImage(name: "xdpctl_probe", instructions: instructions, license: "GPL")
                image.attachType = attachType
                image.supportsFrags = supportsFrags
                if (try? Program.load(image)) != nil { return (attachType, supportsFrags) }
            }
        }
        return nil
    }

    private static func replaced(_ information: ProgramInformation, _ what: String) -> XDPError {
        XDPError(
            .refused, what,
            because:
                "program \(information.id) (\(information.name)) or parts of it are replaced by other programs "
                + "(freplace, as libxdp's dispatcher does), and a tail call would pass them by or is forbidden",
            remedy:
                "Unload it with its own loader (`xdp-loader unload`), and load its components' objects as "
                + "members: `xdpctl load`")
    }

    private static func refusal(
        _ error: BPFError, _ information: ProgramInformation, _ what: String
    ) -> XDPError {
        let name = "program \(information.id) (\(information.name))"
        if error.errno == .resourceBusy {
            return replaced(information, what)
        }
        if error.errno == .invalidArgument {
            return XDPError(
                .refused, what,
                because:
                    "\(name) is bound to its device (for hardware metadata), or not translated to machine code "
                    + "as others are: the kernel lets nothing call it",
                remedy: "Unload it with its own loader, and load its object with `xdpctl load`")
        }
        return XDPError(error, during: what)
    }
}

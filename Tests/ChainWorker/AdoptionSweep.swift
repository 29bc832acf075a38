// SPDX-License-Identifier: Apache-2.0
import BPF
import SystemPackage
import TestSupport
import XDP

/// Lets every call into the kernel fail in turn, one in each run of an adoption or a release, and looks each time
/// whether the program that somebody else attached still runs, alone or as a member.
struct AdoptionSweep {
    private let interface: String
    private let isRelease: Bool
    /// Whether it is done for a tap.
    private let isForTap: Bool
    /// What somebody else attached.
    private let program: UInt32
    private let link: UInt32?

    private enum State: Equatable {
        case alone, member
        case neither
    }

    /// The interface runs a program of somebody else who lives.
    init?(_ word: String, on interface: String) throws {
        guard ["adopt", "release", "tap", "untap"].contains(word),
            case .foreign(let found) = try Interface(named: interface).occupant()
        else { return nil }
        isRelease = word == "release" || word == "untap"
        isForTap = word == "tap" || word == "untap"
        self.interface = interface
        program = found.information.id
        link = found.linkID
    }

    /// Returns whether all went well; what did not is printed.
    func run(with errors: [Errno]) throws -> Bool {
        var isGood = true
        var number = 1
        // What the library opens once for all is open from here on.
        try adopt()
        try release()
        while true {
            if isRelease { try adopt() }
            let error = errors[number % errors.count]
            let door = Door(at: number, .fail(error), skipsLooks: true)
            let complaints = try attempt(door)
            try release()
            guard door.calls >= number else { break }
            for complaint in complaints {
                print("call \(number), \(door.chosen) fails with \(error.name): \(complaint)")
                isGood = false
            }
            number += 1
        }
        if isPinned() {
            print("at the end the link is pinned")
            isGood = false
        }
        print("\(number - 1) calls")
        return isGood && number > 10
    }

    private func attempt(_ door: Door) throws -> [String] {
        var complaints: [String] = []
        let before = try state()
        let descriptors = Descriptors.open()
        var failure: XDPError?
        do throws(XDPError) {
            try door.watch { () throws(XDPError) in _ = try operation.perform(on: interface) }
        } catch {
            failure = error
        }
        let after = try state()
        if Descriptors.open() != descriptors {
            complaints.append("descriptors leak: \(Descriptors.open().symmetricDifference(descriptors))")
        }
        if after == .neither { complaints.append("the program runs no more") }
        // A pin whose removal fails is removed by a later change.
        if after == .alone, isPinned(), !door.chosen.hasPrefix("unlink"), door.calls >= 1, failure != nil {
            complaints.append("the link stays pinned")
        }
        if let failure {
            if after != before { complaints.append("an error, yet changed: \(failure)") }
            if failure.why.isEmpty { complaints.append("an error without words") }
            do throws(XDPError) {
                _ = try operation.perform(on: interface)
            } catch {
                complaints.append("\(failure); and then the next command: \(error)")
            }
        }
        if try state() != (isRelease ? .alone : .member) { complaints.append("not done in the end") }
        return complaints
    }

    private var operation: Operation { isRelease ? giveBack : adoption }

    private var adoption: Operation { isForTap ? .tap(name: "capture-1") : .adopt(name: "foreign") }
    private var giveBack: Operation { isForTap ? .untap(name: "capture-1") : .release(name: "foreign") }

    private func adopt() throws {
        if try state() == .alone { try adoption.perform(on: interface) }
    }

    private func release() throws {
        if try state() == .member { try giveBack.perform(on: interface) }
    }

    private func state() throws -> State {
        switch try Interface(named: interface).occupant() {
        case .foreign(let found) where found.information.id == program && found.linkID == link: .alone
        case .chain(let active)
        where active.linkID == link
            && active.manifest.chain.members.map({ $0.separate?.programID }) == [program]:
            .member
        default: .neither
        }
    }

    private func isPinned() -> Bool {
        guard let link, let root = try? BPFFileSystem.find().root else { return false }
        return BPFFileSystem.exists("\(root)/xdpctl/link-\(link)")
    }
}

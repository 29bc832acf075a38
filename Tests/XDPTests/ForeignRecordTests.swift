// SPDX-License-Identifier: Apache-2.0
import BPF
import Testing

@testable import XDP

/// What is read of /proc and /etc for `status`. Any user may run these.
@Suite("Records of descriptors, mounts and users")
struct ForeignRecordTests {
    @Test("a descriptor of a program and one of a link are told apart")
    func descriptors() {
        let program = DescriptorRecord(
            Array("pos:\t0\nprog_type:\t6\nprog_id:\t34\nrun_time_ns:\t0\n".utf8))
        let link = DescriptorRecord(
            Array("link_type:\txdp\nlink_id:\t12\nprog_tag:\t614b434cd8324ecc\nprog_id:\t34\n".utf8))

        #expect(program.programID == 34 && program.linkID == nil)
        #expect(link.programID == 34 && link.linkID == 12)
    }

    @Test(
        "what is no number, or no line, is no id",
        arguments: [
            "", "\n\n", "prog_id", "prog_id:", "prog_id:\tx", "prog_id:\t-1", "prog_id:\t4294967296", ":1",
        ])
    func noDescriptor(text: String) {
        #expect(DescriptorRecord(Array(text.utf8)).programID == nil)
    }

    @Test("mounts are read with their optional fields and their escapes")
    func mounts() throws {
        let text = """
            36 28 0:32 / /sys/fs/bpf rw,relatime shared:9 master:2 - bpf bpf rw,mode=700
            90 24 0:4 net:[4026532177] /run/netns/a\\040b\\134 rw - nsfs nsfs rw
            91 24 0:4 short - nsfs
            92 24 0:4 / / rw shared:5 nsfs nsfs rw
            """

        let mounts = Mount.all(in: Array(text.utf8))

        #expect(mounts.map(\.fileSystem) == ["bpf", "nsfs"])
        #expect(mounts.map(\.path) == ["/sys/fs/bpf", "/run/netns/a b\\"])
        #expect(mounts.map(\.root) == ["/", "net:[4026532177]"])
        #expect(mounts.map(\.device) == ["0:32", "0:4"])
    }

    @Test("an escape that is none stays as it is", arguments: ["\\", "\\04", "\\999", "a\\"])
    func noEscape(path: String) throws {
        let mounts = Mount.all(in: Array("1 2 0:3 / \(path) rw - bpf bpf rw".utf8))

        #expect(mounts.map(\.path) == [path])
    }

    @Test("the first name of a user counts, and broken lines do not")
    func users() {
        let names = UserNames(
            Array(
                "root:x:0:0:root:/root:/bin/sh\n#x\n:x:5::\nbin:x:two:\nme:x:1000:1000\nyou:x:1000:1\n".utf8))

        #expect(names[0] == "root" && names[1000] == "me" && names[5] == nil && names[2] == nil)
    }

    @Test("this process finds its own network namespace and its own name")
    func own() throws {
        let search = try NamespaceSearch()

        let current = try #require(search.found.first)
        #expect(current.isCurrent && search.found.filter(\.isCurrent).count == 1)
        #expect(Set(search.found.map(\.identity)).count == search.found.count)
        #expect(try current.run { () throws -> Int in try Interface.all().count } ?? 0 > 0)
    }
}

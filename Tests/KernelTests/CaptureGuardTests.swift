// SPDX-License-Identifier: Apache-2.0
import BPF
import Capture
import Glibc
import Synchronization
import Testing
import XDP

/// The word that says whether somebody reads a capture, as the kernel keeps it. Needs root.
@Suite("The guard of captures")
struct CaptureGuardTests {
    /// A page as this process sees it, which is never the one that owns it.
    private struct Page {
        let map: MapHandle
        let value: MappedValue

        init() throws {
            map = try MapHandle(CapturePage.definition)
            value = try MappedValue(map.map, count: CapturePage.size)
        }

        var owner: UInt32 {
            let place = (value.memory + CapturePage.guardWord).assumingMemoryBound(to: Atomic<UInt32>.self)
            return UnsafePointer(place).pointee.load(ordering: .sequentiallyConsistent) & TapGuard.alive
        }

        var isAlive: Bool { owner != 0 }

        func start(_ end: String, by command: [String] = []) throws -> Subprocess {
            let words =
                command + [
                    try Subprocess.binary("ChainWorker"), "/proc/self/ns/net", "lo", "guard", "\(map.id)",
                    end,
                ]
            return try Subprocess(words[0], Array(words.dropFirst()))
        }
    }

    @Test("the word is set while the process lives, stopped or not, and is cleared when it is killed")
    func kill() throws {
        let page = try Page()
        #expect(!page.isAlive)
        let process = try page.start("wait")
        #expect(eventually { page.isAlive })

        Glibc.kill(process.processID, SIGSTOP)
        usleep(200_000)
        #expect(page.isAlive)
        Glibc.kill(process.processID, SIGCONT)
        usleep(50_000)
        #expect(page.isAlive)
        Glibc.kill(process.processID, SIGKILL)

        #expect(eventually { !page.isAlive })
        #expect(try process.wait().status == -SIGKILL)
    }

    @Test("it is cleared when the process exits or crashes", arguments: [("exit", 0), ("abort", -SIGABRT)])
    func ends(how: String, status: Int32) throws {
        let page = try Page()
        let process = try page.start(how)

        #expect(eventually { page.isAlive })
        #expect(try process.wait().status == status)
        #expect(!page.isAlive)
    }

    @Test("it is cleared when the process becomes another program, and lives on")
    func exec() throws {
        let page = try Page()
        let process = try page.start("exec")
        #expect(eventually { page.isAlive })

        #expect(eventually { !page.isAlive })
        #expect(Glibc.kill(process.processID, 0) == 0)
        Glibc.kill(process.processID, SIGKILL)
        _ = try process.wait()
    }

    @Test("so it is in another process namespace, where ids are others")
    func namespace() throws {
        let page = try Page()
        let process = try page.start("wait", by: ["unshare", "--pid", "--fork", "--kill-child"])
        #expect(eventually { page.isAlive })
        #expect(page.owner < 100)

        Glibc.kill(process.processID, SIGKILL)
        _ = try process.wait()

        #expect(eventually { !page.isAlive })
    }

    @Test("without memory for a thread it fails, and does not wait for one")
    func noThread() throws {
        let page = try Page()
        // A stack of 256 TB, which no address space has room for.
        let process = try page.start(
            "exit", by: ["bash", "-c", "ulimit -s 274877906944; exec \"$0\" \"$@\""])
        let result = try process.wait()
        #expect(result.status == 1 && result.errors.contains("cannot be guarded"), "\(result)")
        #expect(!page.isAlive)
    }

    @Test("guards of one process are independent, and giving one back clears its word alone")
    func several() throws {
        let pages = [try Page(), try Page(), try Page()]
        var guards = try pages.map { try CaptureGuard($0.value) }
        #expect(pages.allSatisfy(\.isAlive) && Set(pages.map(\.owner)).count == 3)

        guards[1].end()
        #expect(pages.map(\.isAlive) == [true, false, true])
        guards[1].end()
        guards.removeLast()
        #expect(pages.map(\.isAlive) == [true, false, false])
        guards.removeAll()
        #expect(pages.map(\.isAlive) == [false, false, false])
    }
}

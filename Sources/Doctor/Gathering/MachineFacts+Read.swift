// SPDX-License-Identifier: Apache-2.0
import BPF
import CBPF
import Glibc
import XDP

extension MachineFacts {
    /// Reads everything of the machine that does not depend on a network namespace. Nothing is changed, and
    /// nothing makes it fail: what cannot be read is unknown.
    ///
    /// The settings below `net.core` are those of the calling thread's network namespace, and only the first one
    /// has them all.
    public static func read() -> MachineFacts {
        let release = release()
        let fileSystems = BPFFileSystem.reachable()
        let own = fileSystems.filter { $0.root.hasSuffix(BPFFileSystem.standardPath) }
        return MachineFacts(
            release: release,
            options: ConfigurationSearch.read(release: release),
            isTestModuleLoaded: access("/sys/module/test_bpf/initstate", F_OK) == 0,
            settings: settings(),
            vulnerabilities: vulnerabilities(),
            lockdown: FactFile.text(of: "/sys/kernel/security/lockdown").read(
                orUnknown: "/sys/kernel/security/lockdown has words that are not known"
            ) { Lockdown(text: $0) },
            securityModules: FactFile.text(of: "/sys/kernel/security/lsm").read(
                orUnknown: "/sys/kernel/security/lsm is no list of modules"
            ) { SecurityModules(text: $0) },
            mounts: mounts(),
            fileSystems: fileSystems.map(\.root),
            kernelTypes: kernelTypes(),
            memory: MemoryAccounting.probe(),
            capabilities: Capability.effective(),
            trampolines: KernelSurvey.support(for: .functionTracing),
            whyNoTrampolines: KernelSurvey.note(for: .functionTracing),
            tools: ToolScan.all(),
            libbpf: String(cString: libbpf_version_string()),
            interfaces: .unknown("they were not looked at"),
            programs: programs(),
            lostChains: own.flatMap { LostChain.all(in: $0) }.map {
                LostChainFact(members: $0.manifest.chain.members.map(\.name), path: $0.path)
            },
            stalePins: own.flatMap { StalePin.all(in: $0) },
            pins: PinWalk(fileSystems).facts)
    }

    private static func release() -> String {
        var name = utsname()
        guard uname(&name) == 0 else { return "" }
        return withUnsafeBytes(of: &name.release) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }.withoutControls
    }

    private static func settings() -> [Setting: Fact<Int64>] {
        var found: [Setting: Fact<Int64>] = [:]
        for setting in Setting.allCases {
            found[setting] = FactFile.text(of: setting.path).read(orUnknown: "\(setting.path) has no number")
            {
                Setting.value(of: $0)
            }
        }
        return found
    }

    private static func vulnerabilities() -> [String: Fact<Vulnerability>] {
        var found: [String: Fact<Vulnerability>] = [:]
        for name in Vulnerability.relevant {
            found[name] = FactFile.text(of: "/sys/devices/system/cpu/vulnerabilities/\(name)").read(
                orUnknown: ""
            ) { Vulnerability(name: name, text: $0.withoutControls) }
        }
        return found
    }

    private static func mounts() -> Fact<[Mount]> {
        FactFile.bytes(of: "/proc/self/mountinfo", limit: 16 << 20).read(orUnknown: "") { Mount.all(in: $0) }
    }

    private static func kernelTypes() -> Fact<Int> {
        var status = stat()
        if stat("/sys/kernel/btf/vmlinux", &status) == 0 { return .known(Int(status.st_size)) }
        if errno == ENOENT, access("/sys/kernel", X_OK) == 0 { return .known(0) }
        return .unknown(FactFile.reason("/sys/kernel/btf/vmlinux"))
    }

    private static func programs() -> Fact<LoadedPrograms> {
        do throws(XDPError) {
            return .known(try LoadedPrograms.read())
        } catch {
            return .unknown(error.why + (error.remedy.map { ". \($0)" } ?? ""))
        }
    }
}

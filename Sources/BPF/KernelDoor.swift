// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import Synchronization
import SystemPackage

/// One request on its way into the kernel, as a recorder or a fault injector sees it.
public enum KernelCall: Sendable, Hashable, CustomStringConvertible {
    /// A bpf(2) command.
    case bpf(BPFCommand)
    /// A change in the BPF file system, with the path.
    case file(FileOperation, String)

    /// What is done to a path of the BPF file system.
    public enum FileOperation: String, Sendable {
        case makeDirectory = "mkdir"
        case removeFile = "unlink"
        case removeDirectory = "rmdir"
        case mount
    }

    public var description: String {
        switch self {
        case .bpf(let command): "bpf(\(command))"
        case .file(let operation, let path): "\(operation.rawValue)(\(path))"
        }
    }
}

/// The one place that issues bpf(2) and changes the BPF file system.
///
/// libbpf, which opens objects and creates their maps, is the only other caller of bpf(2) in the process;
/// nothing that it does changes what an interface runs.
public enum KernelDoor {
    /// Looks at a call before it is made; an error number makes the call fail with it, nil lets it pass.
    public typealias Interceptor = @Sendable (KernelCall) -> Errno?

    private static let interceptor = Mutex<Interceptor?>(nil)
    private static let isWatched = Atomic<Bool>(false)

    /// Puts a recorder or a fault injector into the door; nil takes it away. For tests.
    public static func intercept(with newInterceptor: Interceptor?) {
        interceptor.withLock { $0 = newInterceptor }
        isWatched.store(newInterceptor != nil, ordering: .releasing)
    }

    private static func check(_ call: KernelCall) throws(Errno) {
        guard isWatched.load(ordering: .acquiring) else { return }
        let watcher = interceptor.withLock { $0 }
        if let fault = watcher?(call) { throw fault }
    }

    /// bpf(2). Returns what the kernel returned: a descriptor, a count or zero.
    @discardableResult
    static func bpf(_ command: BPFCommand, _ attributes: inout bpf_attr) throws(Errno) -> Int32 {
        try check(.bpf(command))
        let size = UInt32(MemoryLayout<bpf_attr>.size)
        let result = withUnsafeMutablePointer(to: &attributes) {
            cbpf_bpf(Int32(command.rawValue), $0, size)
        }
        guard result >= 0 else { throw Errno(rawValue: Int32(-result)) }
        return Int32(result)
    }

    /// bpf(2) for a command that creates a descriptor; the kernel sets close-on-exec on all of them.
    static func descriptor(_ command: BPFCommand, _ attributes: inout bpf_attr) throws(Errno) -> Descriptor {
        Descriptor(owning: try bpf(command, &attributes))
    }

    static func makeDirectory(_ path: String, mode: mode_t) throws(Errno) {
        try check(.file(.makeDirectory, path))
        if mkdir(path, mode) != 0 { throw Errno(rawValue: errno) }
    }

    static func removeFile(_ path: String) throws(Errno) {
        try check(.file(.removeFile, path))
        if unlink(path) != 0 { throw Errno(rawValue: errno) }
    }

    static func removeDirectory(_ path: String) throws(Errno) {
        try check(.file(.removeDirectory, path))
        if rmdir(path) != 0 { throw Errno(rawValue: errno) }
    }

    static func mountBPFFileSystem(at path: String) throws(Errno) {
        try check(.file(.mount, path))
        if mount("bpf", path, "bpf", 0, "mode=0700") != 0 { throw Errno(rawValue: errno) }
    }
}

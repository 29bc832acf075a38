// SPDX-License-Identifier: Apache-2.0

/// Memory at a fixed address for a pointer in one bpf(2) call; freed at the end of its owner's life, so the
/// owner is used after the call or kept with `withExtendedLifetime`.
struct CallMemory: ~Copyable {
    private let memory: UnsafeMutableRawBufferPointer

    /// A copy of the bytes.
    init(_ bytes: [UInt8]) {
        memory = .allocate(byteCount: max(bytes.count, 1), alignment: 8)
        memory.copyBytes(from: bytes)
    }

    /// Zeros for the kernel to write over.
    init(zeros count: Int) {
        memory = .allocate(byteCount: max(count, 1), alignment: 8)
        memory.initializeMemory(as: UInt8.self, repeating: 0)
    }

    /// A text and its NUL.
    init(_ text: String) {
        self.init(Array(text.utf8) + [0])
    }

    deinit { memory.deallocate() }

    /// The number that bpf(2) takes for a pointer.
    var address: UInt64 { UInt64(UInt(bitPattern: memory.baseAddress)) }

    /// What it holds now.
    func bytes() -> [UInt8] { Array(memory) }

    /// What it holds up to the first NUL.
    func text() -> String {
        String(decoding: memory.prefix { $0 != 0 }, as: UTF8.self)
    }
}

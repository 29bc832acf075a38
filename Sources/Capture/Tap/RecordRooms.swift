// SPDX-License-Identifier: Apache-2.0

/// The sizes that the bytes of a packet can have room of in a ring: a program can reserve constant sizes only, so the smallest
/// is taken that suffices.
///
/// Short packets come in steps of 64 bytes and longer ones in steps of about an eighth, so that usual ones waste little. The
/// verifier looks at the rest of the code once for each size, and where bytes are copied one by one at every turn of that:
/// so there the steps are coarser.
struct RecordRooms {
    /// In order; the last one takes what is longer, cut.
    let sizes: [Int]
    /// Bytes of a packet that are kept at most.
    let maximum: Int

    /// What two calls of `bpf_xdp_load_bytes` can copy, of 65535 bytes each at places up to 65535. The stack's packets are
    /// shorter.
    static let longest = 32_768 + 65_535
    /// What is copied at most where the verifier has to follow each turn.
    static let longestWithoutHelper = 9216

    init(snapLength: UInt32, abilities: CaptureAbilities) {
        let longest = abilities.hasBufferAccess ? Self.longest : Self.longestWithoutHelper
        maximum = min(Int(snapLength), longest)
        let last = (maximum + 7) / 8 * 8
        let steps = abilities.hasBufferAccess ? Self.steps : Self.coarseSteps
        sizes = steps.prefix { $0 < last } + [last]
    }

    private static let steps =
        Array(stride(from: 64, through: 512, by: 64)) + [
            640, 768, 896, 1024, 1152, 1280, 1408, 1536, 1792, 2048, 2304, 2560, 3072, 3584, 4096, 4608, 5120,
            6144, 7168, 8192, 9216, 10_240, 12_288, 14_336, 16_384, 20_480, 24_576, 28_672, 32_768, 40_960,
            49_152, 57_344, 65_536, 73_728,
        ]

    private static let coarseSteps = [64, 128, 256, 512, 1024, 1536, 2048, 4096]
}

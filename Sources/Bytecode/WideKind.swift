// SPDX-License-Identifier: Apache-2.0

/// What a 64-bit immediate load loads: the pseudo marker in its source field (BPF_PSEUDO_*, linux/bpf.h).
public enum WideKind: Hashable, Sendable {
    /// A number.
    case plain
    /// The address of the map whose descriptor is the immediate (BPF_PSEUDO_MAP_FD).
    case mapDescriptor
    /// An address inside the only value of the map whose descriptor is the first immediate, at the offset that
    /// is the second (BPF_PSEUDO_MAP_VALUE, kernel 5.2).
    case mapValue
    /// The address of the kernel variable with that BTF type id (BPF_PSEUDO_BTF_ID, kernel 5.10).
    case btfID
    /// The address of a subprogram, relative to the next instruction (BPF_PSEUDO_FUNC, kernel 5.13).
    case function
    /// The address of a map in the descriptor array given to the load (BPF_PSEUDO_MAP_IDX, kernel 5.14).
    case mapIndex
    /// Like `mapValue`, for a map in the descriptor array (BPF_PSEUDO_MAP_IDX_VALUE, kernel 5.14).
    case mapIndexValue
    /// A marker that has no meaning yet.
    case unknown(UInt8)

    /// The kind that a source field stands for.
    public init(marker: UInt8) {
        self =
            switch marker {
            case 0: .plain
            case 1: .mapDescriptor
            case 2: .mapValue
            case 3: .btfID
            case 4: .function
            case 5: .mapIndex
            case 6: .mapIndexValue
            default: .unknown(marker)
            }
    }

    /// The source field that stands for the kind.
    public var marker: UInt8 {
        switch self {
        case .plain: 0
        case .mapDescriptor: 1
        case .mapValue: 2
        case .btfID: 3
        case .function: 4
        case .mapIndex: 5
        case .mapIndexValue: 6
        case .unknown(let marker): marker
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import CBPF

/// The bpf(2) commands that this library issues (`enum bpf_cmd` in linux/bpf.h).
public enum BPFCommand: UInt32, Sendable, CustomStringConvertible {
    case mapCreate = 0
    case mapLookup = 1
    case mapUpdate = 2
    case mapDelete = 3
    case mapNextKey = 4
    case programLoad = 5
    case objectPin = 6
    case objectGet = 7
    case programTestRun = 10
    case programNextID = 11
    case mapNextID = 12
    case programByID = 13
    case mapByID = 14
    case objectInfo = 15
    case rawTracepointOpen = 17
    case btfLoad = 18
    case btfByID = 19
    case mapFreeze = 22
    case btfNextID = 23
    case mapLookupBatch = 24
    case mapUpdateBatch = 26
    case mapDeleteBatch = 27
    case linkCreate = 28
    case linkUpdate = 29
    case linkByID = 30
    case linkNextID = 31
    case enableStatistics = 32
    case linkDetach = 34
    case programBindMap = 35
    case tokenCreate = 36

    public var description: String {
        switch self {
        case .mapCreate: "MAP_CREATE"
        case .mapLookup: "MAP_LOOKUP_ELEM"
        case .mapUpdate: "MAP_UPDATE_ELEM"
        case .mapDelete: "MAP_DELETE_ELEM"
        case .mapNextKey: "MAP_GET_NEXT_KEY"
        case .programLoad: "PROG_LOAD"
        case .objectPin: "OBJ_PIN"
        case .objectGet: "OBJ_GET"
        case .programTestRun: "PROG_TEST_RUN"
        case .programNextID: "PROG_GET_NEXT_ID"
        case .mapNextID: "MAP_GET_NEXT_ID"
        case .programByID: "PROG_GET_FD_BY_ID"
        case .mapByID: "MAP_GET_FD_BY_ID"
        case .objectInfo: "OBJ_GET_INFO_BY_FD"
        case .rawTracepointOpen: "RAW_TRACEPOINT_OPEN"
        case .btfLoad: "BTF_LOAD"
        case .btfByID: "BTF_GET_FD_BY_ID"
        case .mapFreeze: "MAP_FREEZE"
        case .btfNextID: "BTF_GET_NEXT_ID"
        case .mapLookupBatch: "MAP_LOOKUP_BATCH"
        case .mapUpdateBatch: "MAP_UPDATE_BATCH"
        case .mapDeleteBatch: "MAP_DELETE_BATCH"
        case .linkCreate: "LINK_CREATE"
        case .linkUpdate: "LINK_UPDATE"
        case .linkByID: "LINK_GET_FD_BY_ID"
        case .linkNextID: "LINK_GET_NEXT_ID"
        case .enableStatistics: "ENABLE_STATS"
        case .linkDetach: "LINK_DETACH"
        case .programBindMap: "PROG_BIND_MAP"
        case .tokenCreate: "TOKEN_CREATE"
        }
    }
}

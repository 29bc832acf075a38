// SPDX-License-Identifier: Apache-2.0
import BPF

/// The maps that one change works with, each opened once and held until the change is over.
package final class MapPool {
    private var handles: [UInt32: MapHandle] = [:]

    package init() {}

    /// Takes in maps that were just made.
    package func add(_ new: [MapHandle]) {
        for handle in new { handles[handle.id] = handle }
    }

    /// The map of an id, opened if it was not yet.
    func handle(_ id: UInt32) throws(BPFError) -> MapHandle {
        if let known = handles[id] { return known }
        let opened = try MapHandle(id: id)
        handles[id] = opened
        return opened
    }
}

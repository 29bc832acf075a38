// SPDX-License-Identifier: Apache-2.0
import BPF

/// The pins of maps that a user asked for with a member.
struct MapPins {
    private let member: Member
    private let present: [MapPin]

    /// - Parameter present: pins that are there already, or were and have been removed by somebody.
    init(of member: Member, except present: [MapPin]) {
        self.member = member
        self.present = present
    }

    /// Makes those that are missing; none if one of them cannot be made.
    ///
    /// - Returns: the paths that were made.
    func make(from maps: MapPool) throws(BPFError) -> [String] {
        var made: [String] = []
        do throws(BPFError) {
            for pin in member.pins where !present.contains(pin) && !BPFFileSystem.exists(pin.path) {
                guard let place = member.unit.maps.firstIndex(where: { $0.name == pin.map }) else { continue }
                if let slash = pin.path.lastIndex(of: "/") {
                    try BPFFileSystem.makeDirectories(String(pin.path[..<slash]))
                }
                try maps.handle(member.mapIDs[place]).map.pin(at: pin.path)
                made.append(pin.path)
            }
        } catch {
            for path in made { try? BPFFileSystem.unpin(path) }
            throw error
        }
        return made
    }
}

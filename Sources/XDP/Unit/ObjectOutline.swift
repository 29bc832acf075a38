// SPDX-License-Identifier: Apache-2.0
import BPF

/// What can be said of an object before anything is made in the kernel.
public struct ObjectOutline: Sendable, Hashable {
    /// The part of a request that something was found in.
    public enum Place: Sendable, Hashable {
        case object, program
        case variable(String)
        case maximumEntries(String)
        case reusedMap(String)
        case pinDirectory
    }

    /// Why the object cannot be loaded as asked for.
    public struct Problem: Error, Sendable {
        public let place: Place
        public let error: XDPError
    }

    /// The file, as an absolute path.
    public let origin: String
    /// SHA-256 of the file.
    public let digest: [UInt8]
    /// The function that would be loaded.
    public let program: String
    /// The edges that its metadata asks for.
    public let edges: [Verdict: Edge]
    /// Whether it handles packets of several buffers.
    public let supportsFrags: Bool

    /// Opens the object and tries the settings; the kernel is not asked.
    ///
    /// - Parameter problems: takes everything that stands in the way, beside what the object itself is refused for.
    public init(of request: LoadRequest, problems: inout [Problem]) throws(Problem) {
        let what = "\(request.path) cannot be loaded"
        let bytes: [UInt8]
        do throws(XDPError) {
            bytes = try ObjectBytes.read(request.path)
        } catch {
            throw Problem(place: .object, error: error)
        }
        var place = Place.object
        do throws(BPFError) {
            var object = try ObjectFile(bytes: bytes, name: request.path)
            if request.program != nil { place = .program }
            let chosen = try MemberBuilder().choose(request, replacing: nil, of: object)
            problems += Self.tryVariables(request, object, what)
            problems += Self.tryMaps(request, &object, what)
            origin = ObjectBytes.absolute(request.path)
            digest = SHA256.digest(of: bytes)
            program = chosen.name
            edges = object.runConfiguration(of: chosen.name).map(Edge.edges(saidBy:)) ?? [:]
            supportsFrags = chosen.section.hasPrefix("xdp.frags")
        } catch {
            throw Problem(place: place, error: XDPError(error, during: what))
        }
    }

    private static func tryVariables(
        _ request: LoadRequest, _ object: borrowing ObjectFile, _ what: String
    ) -> [Problem] {
        var problems: [Problem] = []
        for (name, value) in request.variables.sorted(by: { $0.key < $1.key }) {
            do throws(BPFError) {
                try object.setVariable(name, to: value)
            } catch {
                problems.append(Problem(place: .variable(name), error: XDPError(error, during: what)))
            }
        }
        return problems
    }

    private static func tryMaps(
        _ request: LoadRequest, _ object: inout ObjectFile, _ what: String
    ) -> [Problem] {
        var problems: [Problem] = []
        for (name, count) in request.maximumEntries.sorted(by: { $0.key < $1.key }) {
            do throws(BPFError) {
                try object.setMaximumEntries(of: name, to: count)
            } catch {
                problems.append(Problem(place: .maximumEntries(name), error: XDPError(error, during: what)))
            }
        }
        let names = object.maps.map(\.name)
        for name in request.reusedMaps.keys.sorted() where !names.contains(name) {
            problems.append(
                Problem(
                    place: .reusedMap(name),
                    error: XDPError(
                        .failed, what, because: "the object has no map \(name)",
                        remedy: names.isEmpty ? "It has no maps" : "It has \(names.joined(separator: ", "))"))
            )
        }
        if let directory = request.pinDirectory, !BPFFileSystem.isInside(directory) {
            problems.append(
                Problem(
                    place: .pinDirectory,
                    error: XDPError(
                        .failed, what, because: "\(directory) is not in a BPF file system",
                        remedy: "Name a directory below \(BPFFileSystem.standardPath)")))
        }
        return problems
    }
}

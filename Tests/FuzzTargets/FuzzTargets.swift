// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Capture
import Configuration
import Doctor
import Filter
import Netlink
import Observe
import XDP

/// Everything that reads bytes which nobody vouches for. The first byte of an input chooses.
enum FuzzTargets {
    /// What an input is taken for.
    enum Kind: UInt8, CaseIterable {
        /// The body of a manifest, and what the linker makes of the chain in it.
        case manifest
        /// Instructions, through all passes.
        case bytecode
        /// An object file: its outline and its BTF.
        case object
        /// What the verifier said.
        case log
        /// What others left in the kernel and below /proc: a dispatcher's configuration, descriptors, mounts.
        case foreign
        /// A file that describes chains.
        case file
        /// What `doctor` reads: a kernel's configuration, packed or not, lists of modules, what tools print.
        case machine
        /// A datagram of netlink: interfaces, what drivers can do, ethtool's answers.
        case netlink
        /// Instructions of an object or of the kernel, through the analysis.
        case analysis
        /// A file with the elements of a set; the first byte of it says of which kind.
        case elements
        /// A rule file: read, written, read again, checked.
        case rules
        /// What other filters print; the first byte says which.
        case imported
        /// A capture file.
        case capture
        /// A packet in words.
        case packet
        /// What a filter keeps of itself in the kernel.
        case record
        /// What the kernel says of its CPUs: /proc/stat, /proc/softirqs and softnet_stat, a NUL between them.
        case processors
        /// Instructions of a filter expression, or the expression; the first byte says which.
        case expression
        /// A packet that is decoded in a line; the first byte says how much is said.
        case line
        /// What the kernel left in memory for a command of ethtool about a driver's counters.
        case counters
    }

    /// Runs one input; what it throws inside is an answer, what it traps on is a finding.
    static func run(_ input: [UInt8]) {
        guard let first = input.first else { return }
        let bytes = Array(input.dropFirst())
        switch Kind(rawValue: first % UInt8(Kind.allCases.count)) {
        case .manifest?: runManifest(bytes)
        case .bytecode?: runBytecode(bytes)
        case .file?:
            let decoder = FileDecoder(file: "fuzzed.yaml", text: bytes)
            _ = (decoder.entries.count, decoder.findings.map(\.description))
        case .object?: try? ObjectFile.checkOutline(of: bytes)
        case .log?:
            let log = VerifierLog(String(decoding: bytes, as: UTF8.self))
            _ = (log.reason, log.lastInstruction, log.statistics)
        case .foreign?: runForeign(bytes)
        case .machine?: runMachine(bytes)
        case .netlink?: runNetlink(bytes)
        case .analysis?: runAnalysis(bytes)
        case .elements?: runElements(bytes)
        case .rules?: runRules(bytes)
        case .imported?: runImport(bytes)
        case .capture?: runCapture(bytes)
        case .packet?: runPacket(bytes)
        case .record?: runRecord(bytes)
        case .processors?: runProcessors(bytes)
        case .expression?: runExpression(bytes)
        case .line?: runLine(bytes)
        case .counters?: runCounters(bytes)
        case nil: break
        }
    }

    private static func runCounters(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { memory in
            let answer = DriverCounterAnswer(memory)
            let names = answer.names ?? []
            if names.count * DriverCounterAnswer.nameSize > bytes.count {
                fatalError("more names were read than there are")
            }
            for count in [names.count, answer.count] {
                guard let values = answer.values(count: count) else { continue }
                if values.count != count || count * 8 > bytes.count {
                    fatalError("values were read that are not there")
                }
            }
        }
    }

    private static func runProcessors(_ bytes: [UInt8]) {
        let texts = bytes.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard texts.count == 3 else { return }
        _ = ProtocolReading(tables: texts[0], list: texts[1]).counters
        _ = SocketReading.count(in: texts[2])
        guard
            let sample = try? SoftirqSample(
                time: 1, statistics: texts[0], softirqs: texts[1], softnet: texts[2])
        else { return }
        _ = SoftirqLoad(from: sample, to: sample)
    }

    private static func runElements(_ bytes: [UInt8]) {
        let kinds: [[SetDeclaration.Kind]] = [
            [.prefix], [.address], [.port], [.protocol], [.vlan], [.mac], [.interface],
            [.address, .port, .mac],
        ]
        let chosen = kinds[Int(bytes.first ?? 0) % kinds.count]
        let declaration = SetDeclaration(name: "it", kinds: chosen, hasTimeouts: true)
        for line in bytes.dropFirst().split(separator: 10) {
            guard let elements = try? SetSource(declaration).elements(ofLine: Array(line)) else { continue }
            for element in elements {
                let text = SetListing.Element(
                    components: element.components, remaining: element.timeout, isDeclared: false
                ).text
                guard (try? SetSource(declaration).elements(ofLine: Array(text.utf8))) == [element] else {
                    fatalError("an element that was read is not written as it was: \(text)")
                }
            }
        }
    }

    private static func runRules(_ bytes: [UInt8]) {
        do throws(XDPError) {
            let rules = try RuleFile.parse(bytes, file: "fuzzed")
            let text = rules.text
            guard let again = try? RuleFile.parse(Array(text.utf8), file: "again"), again == rules,
                again.text == text
            else { fatalError("rules that were read are not written as they were") }
            _ = RuleChecks.warnings(in: rules)
        } catch {
            for finding in error.findings {
                let excerpt = SourceExcerpt.text(
                    of: bytes, line: finding.line ?? 0, column: finding.column ?? 0)
                guard excerpt != nil else { fatalError("a mistake stands outside of the file") }
            }
        }
    }

    private static func runImport(_ bytes: [UInt8]) {
        let formats = RuleImport.Format.allCases
        guard let kind = bytes.first,
            let result = try? RuleImport(
                Array(bytes.dropFirst()), as: formats[Int(kind) % formats.count], file: "fuzzed")
        else { return }
        guard (try? RuleFile.parse(Array(result.text.utf8), file: "imported")) != nil else {
            fatalError("what was imported cannot be read")
        }
    }

    private static func runCapture(_ bytes: [UInt8]) {
        var left = bytes[...]
        let reader = try? CaptureReader(name: "fuzzed") { () throws(XDPError) in
            defer { left = left.dropFirst(50) }
            return Array(left.prefix(50))
        }
        guard var reader else { return }
        while let packet = try? reader.next() {
            if packet.bytes.count > packet.length || packet.bytes.count > bytes.count {
                fatalError("a packet is longer than it is")
            }
            _ = PacketFields(packet: packet.bytes, length: packet.length).text
            if let number = packet.interfaceNumber, !reader.interfaces.indices.contains(number) {
                fatalError("a packet is of an interface that is not there")
            }
        }
        for interface in reader.interfaces {
            let place = CapturePlace(parsing: interface.name ?? "")
            guard CapturePlace(parsing: place.description).point == place.point else {
                fatalError("a point is not found again")
            }
        }
        if reader.statistics.keys.contains(where: { !reader.interfaces.indices.contains($0) }) {
            fatalError("statistics are of an interface that is not there")
        }
    }

    private static func runLine(_ bytes: [UInt8]) {
        guard let first = bytes.first else { return }
        let packet = Array(bytes.dropFirst())
        let style = PacketLine.Style(
            showsLink: first & 1 != 0, isShort: first & 2 != 0, isVerbose: first & 4 != 0)
        let length = packet.count + Int(first >> 3)
        let line = PacketLine(packet, length: length, style: style).text
        guard line.hasSuffix(" len \(length)"), line.unicodeScalars.allSatisfy({ $0.value >= 0x20 }) else {
            fatalError("a packet is not one line: \(line)")
        }
        // Every byte takes part in at most so many words: tunnels are followed to a depth, and lists end.
        if line.utf8.count > 20_000 { fatalError("a line is too long") }
        guard HexDump.lines(packet, showsText: true).count == (packet.count + 15) / 16 else {
            fatalError("bytes are missing")
        }
    }

    private static func runPacket(_ bytes: [UInt8]) {
        var collector = SampleCollector()
        collector.take(bytes, length: bytes.count, member: "it", verdict: .drop)
        guard let packet = try? WrittenPacket(parsing: String(decoding: bytes, as: UTF8.self)) else { return }
        let fields = PacketFields(packet: packet.bytes, length: packet.length, queue: packet.queue)
        guard let again = try? WrittenPacket(parsing: packet.text), again == packet else {
            fatalError("the same words make two packets")
        }
        _ = fields.text
    }

    private static func runExpression(_ bytes: [UInt8]) {
        guard let kind = bytes.first else { return }
        let body = Array(bytes.dropFirst())
        var program: ClassicProgram?
        if kind & 1 == 0 {
            let instructions = stride(from: 0, to: body.count / 8 * 8, by: 8).map {
                place -> ClassicInstruction in
                let halves = [0, 4, 6].map { UInt16(body[place + $0]) | UInt16(body[place + $0 + 1]) << 8 }
                return ClassicInstruction(
                    code: halves[0], ifTrue: body[place + 2], ifFalse: body[place + 3],
                    operand: UInt32(halves[1]) | UInt32(halves[2]) << 16)
            }
            program = ClassicProgram(expression: "fuzzed", instructions: instructions)
        } else {
            // Letters would be names, which are looked up in the network.
            let words = [
                "tcp", "udp", "ip", "ip6", "ether", "vlan", "or", "and", "not", "port", "net", "proto", "len",
            ]
            var text = ""
            for byte in body.prefix(100) {
                text +=
                    byte < 0x60
                    ? String(UnicodeScalar(max(byte, 0x20))) : " \(words[Int(byte) % words.count]) "
            }
            program = try? ClassicProgram(compiling: text)
        }
        guard let program else { return }
        _ = program.text
        guard (try? program.check()) != nil, !program.instructions.isEmpty else { return }
        guard (try? program.optimized.check()) != nil else {
            fatalError("a right program became a wrong one")
        }
        for hasBufferAccess in [true, false] {
            var abilities = CaptureAbilities()
            abilities.hasBufferAccess = hasBufferAccess
            guard let code = try? ExpressionCode(program, abilities: abilities) else { continue }
            var assembler = Assembler()
            let reject = assembler.label()
            code.emit(into: &assembler, reject: reject)
            assembler.append([.move(.r0, 2), .exit])
            assembler.place(reject)
            assembler.append([.move(.r0, 1), .exit])
            guard (try? assembler.assemble(longJumps: false)) != nil else {
                fatalError("a right program has code that cannot be put together")
            }
        }
    }

    private static func runRecord(_ bytes: [UInt8]) {
        _ = try? FilterRecord(decoding: bytes)
        guard let record = try? FilterRecord(body: bytes, in: bytes.indices) else { return }
        guard let again = try? FilterRecord(decoding: record.encoded()), again == record else {
            fatalError("a filter's record that was read is not written as it was")
        }
    }

    private static func runManifest(_ bytes: [UInt8]) {
        _ = try? Manifest(decoding: bytes)
        _ = try? Manifest(body: bytes, in: bytes.indices, version: 1)
        guard let manifest = try? Manifest(body: bytes, in: bytes.indices) else { return }
        guard let again = try? Manifest(decoding: manifest.encoded()), again == manifest else {
            fatalError("a manifest that was read is not written as it was")
        }
        _ = try? Linker(limits: .oldest).link(
            manifest.chain, counting: .init(mode: manifest.chain.counters, pageIDs: manifest.counterPages))
    }

    private static func runNetlink(_ bytes: [UInt8]) {
        for message in (try? NetlinkMessage.messages(in: bytes[...])) ?? [] {
            _ = LinkEvent(message)?.link.subject
            _ = XDPSocketInformation(message)
            guard let message = GenericMessage(message) else { continue }
            _ = GenericFamily(message.attributes)
            _ = NetdevEvent(message)?.device
            let offloads = Offloads(message.attributes)
            _ = (offloads.active.count, offloads["rx-lro"])
            _ = (Channels(message.attributes), Rings(message.attributes))
        }
    }

    private static func runForeign(_ bytes: [UInt8]) {
        for version in [nil, 1, 2, 3, 4] as [UInt32?] {
            let configuration = DispatcherConfiguration(bytes, declaredVersion: version)
            if let slots = configuration?.slots, slots.count > 10 {
                fatalError("a dispatcher has more places than it can have")
            }
        }
        _ = DescriptorRecord(bytes)
        _ = Mount.all(in: bytes)
    }

    /// The first byte says what is known besides the instructions.
    private static func runAnalysis(_ bytes: [UInt8]) {
        guard let kind = bytes.first else { return }
        let body = bytes.dropFirst()
        guard let instructions = try? Instruction.decode(Array(body.prefix(body.count / 8 * 8))) else {
            return
        }
        var code = ProgramCode(name: "fuzzed", instructions: instructions)
        code.isTranslated = kind & 1 != 0
        if kind & 2 != 0 { code.constants = [0: Array(bytes.prefix(64))] }
        for (index, instruction) in instructions.enumerated() where instruction.isCall && kind & 4 != 0 {
            let names = ["bpf_throw", "dev_map_redirect", "bpf_iter_num_new"]
            let name = names[Int(instruction.immediate.magnitude % 3)]
            code.callees[index] =
                kind & 8 != 0 ? .symbol(name) : kind & 16 != 0 ? .kernelFunction(name, module: nil) : .unknown
        }
        let start = ContinuousClock.now
        let analysis = ProgramAnalysis(of: code)
        if ContinuousClock.now - start > .seconds(30) { fatalError("the analysis takes too long") }
        let places =
            analysis.verdicts.values.joined().map(\.instruction) + analysis.otherCodes.map(\.instruction)
        if places.contains(where: { !instructions.indices.contains($0) }) {
            fatalError("the analysis names instructions that are not there")
        }
    }

    private static func runMachine(_ bytes: [UInt8]) {
        let limit = 1 << 20
        let unpacked = (try? Gunzip.unpack(bytes, limit: limit)) ?? []
        guard unpacked.count <= limit else { fatalError("more was unpacked than there is room for") }
        for text in [bytes, unpacked] { _ = KernelConfiguration(source: "fuzzed", text: text) }
        let text = String(decoding: bytes, as: UTF8.self)
        _ = (Lockdown(text: text), SecurityModules(text: text), Setting.value(of: text))
        _ = Vulnerability(name: "fuzzed", text: text).state
        if let line = ToolVersion.line(of: bytes), line.contains(where: \.isNewline) {
            fatalError("a line has lines")
        }
        _ = ToolVersion.hasBPF(bytes)
    }

    private static func runBytecode(_ bytes: [UInt8]) {
        guard let instructions = try? Instruction.decode(Array(bytes.prefix(bytes.count / 8 * 8))) else {
            return
        }
        _ = Instruction.listing(instructions)
        guard let layout = try? ProgramLayout(instructions) else { return }
        _ = StackUse(instructions, layout: layout).combinedDepth(rounding: 32)
        _ = Liveness(instructions, in: layout.main).atEntry
        let member = Member(
            name: "fuzzed", origin: "", digest: [],
            unit: Unit(program: "fuzzed", license: "GPL", instructions: instructions), mapIDs: [])
        guard let linked = try? Linker(limits: .oldest).link(Chain(members: [member]), counting: .none) else {
            return
        }
        guard (try? ProgramLayout(linked.instructions)) != nil else {
            fatalError("a program with a layout is linked into one without")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
#if FUZZING
    import Glibc

    /// libFuzzer's own main, under the name that it has for programs which bring a main (`make fuzz`).
    @_silgen_name("LLVMFuzzerRunDriver")
    private func runDriver(
        _ count: UnsafeMutablePointer<CInt>,
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
        _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
    ) -> CInt

    /// The library wants it to be there, also when it is told what to call.
    @c(LLVMFuzzerTestOneInput)
    public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
        FuzzTargets.run(Array(UnsafeBufferPointer(start: data, count: size)))
        return 0
    }

    @main
    enum EntryPoint {
        static func main() {
            var count = CommandLine.argc
            var arguments = CommandLine.unsafeArgv
            let status = runDriver(&count, &arguments, fuzzOneInput)
            exit(status)
        }
    }
#else
    import Glibc
    import TestSupport

    /// Without libFuzzer: runs the seeds, then changed copies of them for some seconds, always the same ones in
    /// the same order.
    ///
    ///     FuzzTargets [--seconds N] FILE-OR-DIRECTORY…
    @main
    enum EntryPoint {
        static func main() {
            var arguments = Array(CommandLine.arguments.dropFirst())
            var seconds = 0
            if arguments.first == "--seconds", arguments.count > 1 {
                seconds = Int(arguments[1]) ?? 0
                arguments.removeFirst(2)
            }
            let seeds = arguments.flatMap(files).sorted().compactMap(contents)
            guard !seeds.isEmpty else {
                print("usage: FuzzTargets [--seconds N] FILE-OR-DIRECTORY…")
                exit(2)
            }
            for seed in seeds { FuzzTargets.run(seed) }
            let end = ContinuousClock.now + .seconds(seconds)
            var number = 0
            while ContinuousClock.now < end {
                let seed = seeds[number % seeds.count]
                let isObject = seed.first == FuzzTargets.Kind.object.rawValue
                let changed =
                    isObject && number / seeds.count % 2 == 0
                    ? ObjectMutator.mutate(Array(seed.dropFirst()), seed: 1, number: number)
                    : mutated(Array(seed.dropFirst()), number)
                FuzzTargets.run(Array(seed.prefix(1)) + changed)
                number += 1
            }
            print("\(seeds.count) seeds and \(number) changed copies: nothing found")
        }

        /// Bytes overwritten, bits flipped, runs copied or cut out: one to four changes.
        private static func mutated(_ original: [UInt8], _ number: Int) -> [UInt8] {
            var random = SeededGenerator(seed: UInt64(number))
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                let length = Int.random(in: 1...min(16, bytes.count - place), using: &random)
                switch UInt8.random(in: 0..<5, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2: bytes[place] = [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &random) ?? 0
                case 3: bytes.removeSubrange(place..<(place + length))
                default: bytes.insert(contentsOf: bytes[place..<(place + length)], at: place)
                }
            }
            return bytes
        }

        private static func files(_ path: String) -> [String] {
            guard let directory = opendir(path) else { return [path] }
            defer { closedir(directory) }
            var found: [String] = []
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                if !name.hasPrefix(".") { found.append("\(path)/\(name)") }
            }
            return found
        }

        private static func contents(_ path: String) -> [UInt8]? {
            guard let file = fopen(path, "r") else { return nil }
            defer { fclose(file) }
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65536)
            while true {
                let count = fread(&buffer, 1, buffer.count, file)
                if count == 0 { return bytes }
                bytes += buffer.prefix(count)
            }
        }
    }
#endif

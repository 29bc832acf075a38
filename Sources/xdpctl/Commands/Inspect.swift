// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import XDP

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what programs do and need, before they are attached.",
        discussion: """
            It reads the instructions: what is not listed cannot happen; what is listed may be impossible for \
            reasons that instructions do not show. Of an object every XDP program is shown. Its maps are made \
            and gone again; nothing is attached, and no interface is needed.

            Examples:
              xdpctl inspect ids.o
              xdpctl inspect tools.o --program ids
              xdpctl inspect --id 42
              xdpctl inspect ids.o --json | jq .programs[].kernel_needs
            """)

    @Argument(help: "Objects.", completion: .file()) var objects: [String] = []
    @Option(help: ArgumentHelp("A program that is loaded, by the kernel's id. Repeatable.", valueName: "n"))
    var id: [UInt32] = []
    @Option(help: ArgumentHelp("Only this program of the objects.", valueName: "function"))
    var program: String?
    @OptionGroup(title: "General") var options: GlobalOptions

    func validate() throws {
        if objects.isEmpty, id.isEmpty { throw ValidationError("name an object, or a program with --id") }
        if objects.isEmpty, program != nil { throw ValidationError("--program is for objects") }
    }

    func run() throws {
        try options.perform { () throws(XDPError) in
            var found: [ProgramInspection] = []
            for path in objects { found += try ProgramInspector.inspect(object: path, program: program) }
            for id in id { found.append(try ProgramInspector.inspect(programID: id)) }
            let report = InspectionReport(found)
            if options.json { return JSONOutput.print(report) }
            for (place, program) in report.programs.enumerated() {
                if place > 0 { print("") }
                for line in InspectionText(program).lines { print(line) }
            }
        }
    }
}

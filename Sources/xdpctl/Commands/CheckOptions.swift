// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import XDP

/// What commands take that hold a chain against interface and kernel before they change it.
struct CheckOptions: ParsableArguments {
    @Flag(help: "Make the change although a check finds an error, and say what will happen.")
    var force = false

    func editor(_ interface: String) throws(XDPError) -> ChainEditor {
        var editor = ChainEditor(try Interface(named: interface))
        editor.overridesChecks = force
        return editor
    }
}

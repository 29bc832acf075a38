// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

@main
struct XDPControl: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "xdpctl")
}

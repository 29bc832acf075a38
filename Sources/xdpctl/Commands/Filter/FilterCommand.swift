// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

struct FilterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "filter",
        abstract: "A packet filter, written as rules.",
        discussion: """
            Documentation/filter.md describes the rules. A filter is a member of the interface's chain, the first \
            one unless said otherwise; what it passes goes on to the next member.

            Examples:
              xdpctl filter check edge.xdp
              xdpctl filter test edge.xdp 'tcp from 1.2.3.4:5 to 5.6.7.8:22 syn'
              xdpctl filter apply eth0 edge.xdp --confirm 60s
              xdpctl filter confirm eth0
              xdpctl filter list eth0 --counters
              xdpctl filter explain edge.xdp
            """,
        subcommands: [
            FilterCheck.self, FilterTest.self, FilterExplain.self, FilterApply.self, FilterAdd.self,
            FilterDelete.self, FilterList.self, FilterStats.self, FilterLog.self, FilterSet.self,
            FilterImport.self, FilterConfirm.self, FilterRevert.self, FilterRemove.self,
        ])
}

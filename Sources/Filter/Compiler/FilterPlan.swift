// SPDX-License-Identifier: Apache-2.0

/// How a compiled filter finds the rule of a packet, stage by stage, and what that costs.
public struct FilterPlan: Sendable, Hashable, Codable {
    public struct Stage: Sendable, Hashable, Codable {
        /// "headers", "classify", "set blocklist", "table", "limit".
        public var name: String
        /// What it does, in words.
        public var detail: String
        /// The rules that it decides, as ranges of lines or numbers; empty where that means nothing.
        public var rules: String
        /// Estimated nanoseconds a packet, for a packet that goes through it.
        public var nanoseconds: Double

        public init(name: String, detail: String, rules: String, nanoseconds: Double) {
            self.name = name
            self.detail = detail
            self.rules = rules
            self.nanoseconds = nanoseconds
        }
    }

    public var stages: [Stage]
    public var instructions: Int
    /// Bytes of tables and lookup maps, without sets.
    public var tableBytes: Int
    /// What keeps the work from being sublinear, or else costs more than its neighbours, and how to change it.
    public var remarks: [String]

    public init(stages: [Stage], instructions: Int, tableBytes: Int, remarks: [String]) {
        self.stages = stages
        self.instructions = instructions
        self.tableBytes = tableBytes
        self.remarks = remarks
    }
}

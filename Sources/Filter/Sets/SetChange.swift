// SPDX-License-Identifier: Apache-2.0

/// What became of a change of a set's elements.
public struct SetChange: Sendable, Hashable {
    /// Elements that came, or went, by it.
    public var changed = 0
    /// Elements that were there already and got their new life, or that were not there to be deleted.
    public var unchanged = 0
    /// The first of those that were not there to be deleted.
    public var missing: [SetElement] = []
    /// Elements that had ended and were removed on the way.
    public var expired = 0
    /// The maps are full: they have to be replaced by some for so many elements, and then the same is asked again. What
    /// was added already does no harm.
    public var neededRoom: Int?
    /// It was full and got maps for at least so many elements.
    public var grewTo: Int?

    public init() {}

    /// As many as are named.
    static let shownMissing = 20
}

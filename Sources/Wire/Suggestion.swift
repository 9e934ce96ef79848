// The nearest known name to a mistyped one.

package enum Suggestion {
  /// The name of `candidates` nearest to `typed`, if it is near enough to be what was meant.
  ///
  /// Near enough: at most a third of the letters wrong (at least one, at most three), or one is the beginning
  /// of the other. O(candidates x letters squared).
  package static func nearest(to typed: String, among candidates: some Sequence<String>) -> String? {
    let wanted = typed.lowercased()
    let bound = min(3, max(1, wanted.utf8.count / 3))
    var best: (name: String, distance: Int)?
    for candidate in candidates {
      let name = candidate.lowercased()
      var distance = distance(Array(wanted.utf8), Array(name.utf8))
      if distance > bound, wanted.utf8.count >= 3, name.hasPrefix(wanted) { distance = bound }
      if distance <= bound, distance < best?.distance ?? Int.max { best = (candidate, distance) }
    }
    return best?.name
  }

  /// Insertions, deletions, replacements and swaps of neighbours that turn `one` into `other`
  /// (optimal string alignment).
  package static func distance(_ one: [UInt8], _ other: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...other.count)
    for row in 0..<one.count {
      var current = [row + 1]
      current.reserveCapacity(other.count + 1)
      for column in 0..<other.count {
        var cost = min(last[column + 1] + 1, current[column] + 1)
        cost = min(cost, last[column] + (one[row] == other[column] ? 0 : 1))
        if row > 0, column > 0, one[row] == other[column - 1], one[row - 1] == other[column] {
          cost = min(cost, beforeLast[column - 1] + 1)
        }
        current.append(cost)
      }
      beforeLast = last
      last = current
    }
    return last[other.count]
  }
}

// Which columns of a table are shown, and how wide each is, for a given width of the terminal.

/// The natural widths of a table's columns, and what may be done to them.
package struct TableFitting {
  /// What one shown column is: a column of the grid and its width, or the place where columns were left out.
  package enum Slot: Equatable, Sendable {
    case column(Int, width: Int)
    case gap
  }

  package struct Measured: Sendable {
    /// Widest cell or header, in terminal columns.
    package let natural: Int
    /// Below this it says too little to be worth its place.
    package let least: Int
    /// Nothing but nulls, zeros and empty objects: goes first.
    package let isQuiet: Bool
    /// Place in the order of going among columns that are not quiet; nil = by its distance from the middle.
    package let dispensability: Int?
    /// What the table is about: goes last.
    package let isPrecious: Bool

    package init(
      natural: Int, least: Int, isQuiet: Bool, dispensability: Int?, isPrecious: Bool = false
    ) {
      self.natural = natural
      self.least = min(natural, least)
      self.isQuiet = isQuiet
      self.dispensability = dispensability
      self.isPrecious = isPrecious
    }
  }

  /// What stands around the cells: a border of one at each end and of three between two columns, with blanks.
  package static func frame(slots: Int) -> Int { 3 * slots + 1 }

  /// Fits `columns` into `width`: shrinks the widest first; when all are at their least, leaves columns out,
  /// quiet ones first, then dispensable ones, then from the middle outwards. One column always stays.
  ///
  /// - Complexity: O(columns squared).
  package static func fit(_ columns: [Measured], width: Int) -> [Slot] {
    var shown = Array(columns.indices)
    var order = removalOrder(columns)
    var gone: [Int] = []
    while leastWidth(columns, shown) > width, shown.count > 1, let victim = order.popLast() {
      shown.removeAll { $0 == victim }
      gone.append(victim)
    }
    // A wide column may have gone after narrow ones that fit beside what is left.
    for column in gone.reversed() where !columns[column].isQuiet {
      let more = (shown + [column]).sorted()
      if leastWidth(columns, more) <= width { shown = more }
    }
    let slots = withGaps(shown, count: columns.count)
    let gapCount = slots.count - shown.count
    let room = max(shown.count, width - frame(slots: slots.count) - gapCount)
    let widths = share(room, among: shown.map { columns[$0] })
    var next = 0
    return slots.map { slot in
      guard let column = slot else { return .gap }
      defer { next += 1 }
      return .column(column, width: widths[next])
    }
  }

  /// The width a table needs when each shown column is at its least.
  private static func leastWidth(_ columns: [Measured], _ shown: [Int]) -> Int {
    let slots = withGaps(shown, count: columns.count)
    let gaps = slots.count - shown.count
    return frame(slots: slots.count) + gaps + shown.reduce(0) { $0 + columns[$1].least }
  }

  /// The shown columns in order, with nil where one or more are missing between them (or at the ends).
  private static func withGaps(_ shown: [Int], count: Int) -> [Int?] {
    var slots: [Int?] = []
    var expected = 0
    for column in shown {
      if column > expected { slots.append(nil) }
      slots.append(column)
      expected = column + 1
    }
    if expected < count { slots.append(nil) }
    return slots
  }

  /// All columns but the last to go, the first to go at the end.
  private static func removalOrder(_ columns: [Measured]) -> [Int] {
    let middle = Double(columns.count) / 2
    func place(_ index: Int) -> (Int, Int, Double) {
      let column = columns[index]
      let distance = abs(Double(index) - middle)
      if index == 0 { return (4, 0, 0) }
      if column.isPrecious { return (3, 0, 0) }
      if column.isQuiet { return (0, 0, distance) }
      if let rank = column.dispensability { return (1, rank, 0) }
      return (2, 0, distance)
    }
    return columns.indices.sorted { place($0) > place($1) }
  }

  /// Widths that add up to at most `room`: each its natural width if that fits, otherwise all above a common
  /// bound are cut to it, never below their least.
  private static func share(_ room: Int, among columns: [Measured]) -> [Int] {
    let natural = columns.map(\.natural)
    if natural.reduce(0, +) <= room { return natural }
    func widths(_ bound: Int) -> [Int] { columns.map { min($0.natural, max($0.least, bound)) } }
    var low = 1
    var high = natural.max() ?? 1
    while low < high {
      let middle = (low + high + 1) / 2
      if widths(middle).reduce(0, +) <= room { low = middle } else { high = middle - 1 }
    }
    var result = widths(low)
    var left = room - result.reduce(0, +)
    for index in result.indices where left > 0 && result[index] < natural[index] {
      result[index] += 1
      left -= 1
    }
    // Only when a single column is wider than the terminal: the least gives way.
    while left < 0, let widest = result.indices.max(by: { result[$0] < result[$1] }), result[widest] > 1 {
      result[widest] -= 1
      left += 1
    }
    return result
  }
}

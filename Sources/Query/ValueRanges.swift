// What a predicate on numbers comes down to: a few closed ranges, in rising order and apart from each other.

import Amounts

/// A set of 64-bit integers as disjoint closed ranges in rising order.
struct IntegerRanges: Hashable, Sendable {
  private(set) var ranges: [ClosedRange<Int64>]

  static let nothing = IntegerRanges([])
  static let everything = IntegerRanges([.min ... .max])

  /// The union of any ranges.
  init(_ ranges: [ClosedRange<Int64>]) {
    var merged: [ClosedRange<Int64>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, last.upperBound == .max || range.lowerBound <= last.upperBound + 1 {
        merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    self.ranges = merged
  }

  var isEmpty: Bool { ranges.isEmpty }
  var isEverything: Bool { ranges == [.min ... .max] }

  /// O(log ranges).
  func contains(_ value: Int64) -> Bool {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < value { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].contains(value)
  }

  /// All integers that are not in the set.
  var complement: IntegerRanges {
    var result: [ClosedRange<Int64>] = []
    var next: Int64? = .min
    for range in ranges {
      if let start = next, start < range.lowerBound { result.append(start...range.lowerBound - 1) }
      next = range.upperBound == .max ? nil : range.upperBound + 1
    }
    if let start = next { result.append(start ... .max) }
    return IntegerRanges(result)
  }

  func intersection(_ bounds: ClosedRange<Int64>) -> IntegerRanges {
    IntegerRanges(ranges.filter { $0.overlaps(bounds) }.map { $0.clamped(to: bounds) })
  }
}

/// A set of integers of any size as closed ranges in rising order; a missing bound is infinite.
struct AmountRanges: Hashable, Sendable {
  struct Bounds: Hashable, Sendable {
    var low: Amount?
    var high: Amount?

    func contains(_ amount: Amount) -> Bool {
      if let low, amount < low { return false }
      if let high, amount > high { return false }
      return true
    }
  }

  private(set) var ranges: [Bounds]

  static let nothing = AmountRanges(disjoint: [])
  static let everything = AmountRanges(disjoint: [Bounds(low: nil, high: nil)])

  /// Ranges that are in rising order and apart.
  private init(disjoint ranges: [Bounds]) { self.ranges = ranges }

  /// The values that `op operand` holds for; `nothing` for operands that no amount can satisfy.
  init(_ op: FilterOperator, _ operand: Operand) {
    switch (op, operand) {
    case (.isNotNull, _): self = .everything
    case (.equal, .amount(let value)): self.init(disjoint: [Bounds(low: value, high: value)])
    case (.notEqual, .amount(let value)):
      self.init(disjoint: [Bounds(low: nil, high: value - .one), Bounds(low: value + .one, high: nil)])
    case (.greater, .amount(let value)): self.init(disjoint: [Bounds(low: value + .one, high: nil)])
    case (.greaterOrEqual, .amount(let value)): self.init(disjoint: [Bounds(low: value, high: nil)])
    case (.less, .amount(let value)): self.init(disjoint: [Bounds(low: nil, high: value - .one)])
    case (.lessOrEqual, .amount(let value)): self.init(disjoint: [Bounds(low: nil, high: value)])
    case (.between, .list(let bounds)):
      guard bounds.count == 2, case .amount(let low) = bounds[0], case .amount(let high) = bounds[1],
        low <= high
      else {
        self = .nothing
        return
      }
      self.init(disjoint: [Bounds(low: low, high: high)])
    case (.isIn, .list(let operands)):
      var values: [Amount] = []
      for case .amount(let value) in operands { values.append(value) }
      values.sort()
      var ranges: [Bounds] = []
      for value in values {
        if let last = ranges.last?.high, value <= last + .one {
          ranges[ranges.count - 1].high = value
        } else {
          ranges.append(Bounds(low: value, high: value))
        }
      }
      self.init(disjoint: ranges)
    default: self = .nothing
    }
  }

  /// O(log ranges).
  func contains(_ amount: Amount) -> Bool {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if let bound = ranges[middle].high, bound < amount { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].contains(amount)
  }

  /// All integers that are not in the set.
  var complement: AmountRanges {
    var gaps: [Bounds] = []
    var start: Amount?
    for (place, range) in ranges.enumerated() {
      if let low = range.low {
        // Ranges may touch; what lies between them then is no gap.
        if place == 0 || start.map({ $0 < low }) ?? false {
          gaps.append(Bounds(low: start, high: low - .one))
        }
      }
      guard let high = range.high else { return AmountRanges(disjoint: gaps) }
      start = high + .one
    }
    gaps.append(Bounds(low: start, high: nil))
    return AmountRanges(disjoint: gaps)
  }

  /// Those of the set that lie in `bounds`.
  func integers(in bounds: ClosedRange<Int64>) -> IntegerRanges {
    var result: [ClosedRange<Int64>] = []
    for range in ranges {
      let low = range.low.map { max($0, Amount(bounds.lowerBound)) } ?? Amount(bounds.lowerBound)
      let high = range.high.map { min($0, Amount(bounds.upperBound)) } ?? Amount(bounds.upperBound)
      // Clamped on one side each, so only what overlaps has both within 64 bits.
      if low <= high, let low = low.int64, let high = high.int64 { result.append(low...high) }
    }
    return IntegerRanges(result)
  }
}

/// Lowering of predicates on times.
extension IntegerRanges {
  /// The microseconds that `op operand` holds for. A written date stands for its whole UTC day.
  init(_ op: FilterOperator, times operand: Operand) {
    switch (op, operand) {
    case (.isNotNull, _): self = .everything
    case (.equal, .time(let time)): self.init([time.start...time.end - 1])
    case (.notEqual, .time(let time)): self = IntegerRanges([time.start...time.end - 1]).complement
    case (.greater, .time(let time)): self.init([time.end ... .max])
    case (.greaterOrEqual, .time(let time)): self.init([time.start ... .max])
    case (.less, .time(let time)): self = IntegerRanges([time.start ... .max]).complement
    case (.lessOrEqual, .time(let time)): self.init([.min...time.end - 1])
    case (.between, .list(let bounds)):
      guard bounds.count == 2, case .time(let first) = bounds[0], case .time(let last) = bounds[1],
        first.start < last.end
      else {
        self = .nothing
        return
      }
      self.init([first.start...last.end - 1])
    case (.isIn, .list(let operands)):
      var ranges: [ClosedRange<Int64>] = []
      for case .time(let time) in operands { ranges.append(time.start...time.end - 1) }
      self.init(ranges)
    default: self = .nothing
    }
  }
}

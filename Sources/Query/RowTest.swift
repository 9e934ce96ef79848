// What a whole filter comes down to: tests of columns, and how they are combined.

import Amounts
import Columns
import Ledger

/// A condition on a row with all names and values resolved against one cut. Plain values: a plan can be
/// printed and compared.
indirect enum RowTest: Hashable, Sendable {
  case nothing, everything
  case integers(IntegerColumn, IntegerRanges)
  case amounts(AmountColumn, AmountRanges)
  case codes(CodeColumn, CodeSet)
  /// Flags whose bit is set in 256 bits.
  case flags([UInt64])
  /// Those rows, in rising order.
  case rows([RowIndex])
  /// All rows but those.
  case otherRows(Set<RowIndex>)
  case rowRange(Range<Int>)
  case text(TextColumn, TextTest, matchesNull: Bool)
  case metadata(MetadataTest)
  /// The decimal amount of a transaction.
  case decimal(DecimalRanges)
  case effectiveDate(IntegerRanges, matchesNull: Bool)
  /// The row was not deleted.
  case exists
  /// Comes after that place in the order of the field.
  case after(SortBoundary)
  case all([RowTest])
  case any([RowTest])

  /// Roughly what a row costs, in tenths of a nanosecond, to put cheap tests first.
  var cost: Int {
    switch self {
    case .nothing, .everything, .rowRange, .rows: 0
    case .codes(_, let set):
      switch set.members {
      case .few(let codes): 1 + codes.count
      case .bits: 10
      }
    case .integers(_, let set): 2 + set.ranges.count * 2
    case .flags, .exists: 5
    case .amounts(_, let set): 4 + set.ranges.count * 2
    case .otherRows: 50
    case .decimal, .effectiveDate: 150
    case .text(_, let test, _): if case .like = test { 1000 } else { 500 }
    case .metadata: 2000
    case .after: 1500
    case .all(let tests), .any(let tests): tests.reduce(0) { $0 + $1.cost }
    }
  }

  /// Both hold.
  static func conjunction(_ tests: [RowTest]) -> RowTest {
    var flat: [RowTest] = []
    for test in tests {
      switch test {
      case .nothing: return .nothing
      case .everything: continue
      case .all(let inner): flat += inner
      default: flat.append(test)
      }
    }
    if flat.isEmpty { return .everything }
    return flat.count == 1 ? flat[0] : .all(flat.sorted { $0.cost < $1.cost })
  }

  /// One of them holds.
  static func disjunction(_ tests: [RowTest]) -> RowTest {
    var flat: [RowTest] = []
    for test in tests {
      switch test {
      case .everything: return .everything
      case .nothing: continue
      case .any(let inner): flat += inner
      default: flat.append(test)
      }
    }
    if flat.isEmpty { return .nothing }
    return flat.count == 1 ? flat[0] : .any(flat.sorted { $0.cost < $1.cost })
  }

  /// Whether the row passes. The same as `StripeScan` says of it, one row at a time.
  func matches(_ row: RowIndex, _ reader: RowReader) -> Bool {
    switch self {
    case .nothing: false
    case .everything: true
    case .integers(let column, let set): set.contains(reader.integer(column, row))
    case .amounts(let column, let set): set.contains(reader.amount(column, row))
    case .codes(let column, let set): set.contains(reader.code(column, row))
    case .flags(let words):
      words[Int(reader.flags(row) >> 6)] >> UInt64(reader.flags(row) & 63) & 1 != 0
    case .rows(let rows): Self.contains(rows, row)
    case .otherRows(let rows): !rows.contains(row)
    case .rowRange(let range): range.contains(row.index)
    case .text(let column, let test, let matchesNull):
      reader.withText(column, row) { test.matches($0) } ?? matchesNull
    case .metadata(let test): reader.withMetadata(row) { test.matches($0) }
    case .decimal(let set): set.contains(reader.decimal(row))
    case .effectiveDate(let set, let matchesNull):
      reader.effectiveDate(row).map { set.contains($0) } ?? matchesNull
    case .exists: reader.exists(row)
    case .after(let boundary): boundary.isBefore(row, reader)
    case .all(let tests): tests.allSatisfy { $0.matches(row, reader) }
    case .any(let tests): tests.contains { $0.matches(row, reader) }
    }
  }

  private static func contains(_ rows: [RowIndex], _ row: RowIndex) -> Bool {
    var low = 0
    var high = rows.count
    while low < high {
      let middle = (low + high) / 2
      if rows[middle] < row { low = middle + 1 } else { high = middle }
    }
    return low < rows.count && rows[low] == row
  }
}

/// A set of decimal numbers, compared exactly with minor units over precision.
struct DecimalRanges: Hashable, Sendable {
  struct Bounds: Hashable, Sendable {
    var low: DecimalAmount?
    var includesLow = true
    var high: DecimalAmount?
    var includesHigh = true
  }

  let ranges: [Bounds]

  /// The values that `op operand` holds for.
  init(_ op: FilterOperator, _ operand: Operand) {
    switch (op, operand) {
    case (.isNotNull, _): ranges = [Bounds()]
    case (.equal, .decimal(let value)): ranges = [Bounds(low: value, high: value)]
    case (.notEqual, .decimal(let value)):
      ranges = [Bounds(high: value, includesHigh: false), Bounds(low: value, includesLow: false)]
    case (.greater, .decimal(let value)): ranges = [Bounds(low: value, includesLow: false)]
    case (.greaterOrEqual, .decimal(let value)): ranges = [Bounds(low: value)]
    case (.less, .decimal(let value)): ranges = [Bounds(high: value, includesHigh: false)]
    case (.lessOrEqual, .decimal(let value)): ranges = [Bounds(high: value)]
    case (.between, .list(let bounds)):
      if bounds.count == 2, case .decimal(let low) = bounds[0], case .decimal(let high) = bounds[1] {
        ranges = [Bounds(low: low, high: high)]
      } else {
        ranges = []
      }
    case (.isIn, .list(let operands)):
      ranges = operands.compactMap { operand in
        if case .decimal(let value) = operand { Bounds(low: value, high: value) } else { nil }
      }
    default: ranges = []
    }
  }

  func contains(_ value: (precise: Amount, precision: Amount)) -> Bool {
    ranges.contains { bounds in
      if let low = bounds.low {
        let order = Self.order(value, low)
        if order < 0 || (order == 0 && !bounds.includesLow) { return false }
      }
      if let high = bounds.high {
        let order = Self.order(value, high)
        if order > 0 || (order == 0 && !bounds.includesHigh) { return false }
      }
      return true
    }
  }

  /// The order of `precise / precision` and a decimal; the precision is positive.
  private static func order(_ value: (precise: Amount, precision: Amount), _ decimal: DecimalAmount) -> Int {
    let left = decimal.scale == 0 ? value.precise : value.precise * .power(of10: decimal.scale)
    let right = decimal.unscaled * value.precision
    return left < right ? -1 : left == right ? 0 : 1
  }
}

// Sort keys as 64-bit codes: whole numbers compare in one step, and only ties look at the exact value.

import Amounts
import Columns
import Ledger

/// A row on its way into the order: smaller code first, then the exact keys, then the smaller tie.
struct SortEntry {
  /// The code of the row's key, all bits flipped when descending.
  var code: UInt64
  /// The row number, all bits flipped when descending; or, once `TopRows` has settled ties, the place among
  /// them.
  var tie: UInt32
  var row: RowIndex
}

/// Codes of amounts: greater amounts never have smaller codes, and those of less than 2^62 have one each.
///
/// ```
/// 0 …            below -2^62: by exponent and the 55 bits after the leading one, as below, mirrored
/// low …          -2^62 + 1 to 2^62 - 1: 2^63 more than the amount
/// high …         from 2^62 on: 2^55 codes for each power of two up to 2^127
/// 2^64-1         all beyond 128 bits; 0 on the other side
/// ```
/// So wide amounts, too, are compared by their codes but for the few that begin alike.
enum AmountCode {
  private static let zero: UInt64 = 1 << 63
  private static let exponent = 62
  private static let mantissaBits = 55
  /// The least code that stands for one amount.
  static let low: UInt64 = zero - (1 << 62) + 1
  /// The least code above those.
  static let high: UInt64 = zero + (1 << 62)

  /// Whether equal codes mean equal amounts, for a code as it is or with all bits flipped.
  @inline(__always)
  static func isExact(_ code: UInt64) -> Bool { code &- low < high &- low }

  @inline(__always)
  static func code(_ value: Int64) -> UInt64 {
    let code = UInt64(bitPattern: value) &+ zero
    return isExact(code) ? code : wideCode(value.magnitude, isNegative: value < 0)
  }

  static func code(_ amount: Amount) -> UInt64 {
    guard let value = amount.int128 else { return amount.isNegative ? 0 : .max }
    if let narrow = Int64(exactly: value) { return code(narrow) }
    return wideCode(value.magnitude, isNegative: value < 0)
  }

  /// Of a magnitude from 2^62 on.
  private static func wideCode<Magnitude: FixedWidthInteger & UnsignedInteger>(
    _ magnitude: Magnitude, isNegative: Bool
  ) -> UInt64 {
    let power = Magnitude.bitWidth - 1 - magnitude.leadingZeroBitCount
    let bits = UInt64(truncatingIfNeeded: magnitude >> Magnitude(power - mantissaBits))
    let mantissa = bits & ((1 << UInt64(mantissaBits)) - 1)
    let code = high + (UInt64(power - exponent) << UInt64(mantissaBits) | mantissa)
    return isNegative ? ~code : code
  }
}

/// The order that a request asks for, on one cut.
struct RowOrder: Sendable {
  let reader: RowReader
  let column: SortColumn
  let ascending: Bool
  /// For coded columns: the place of each code's text among all.
  let ranks: CodeRanks?
  /// What the ranks are of, when they are of a shredded member: only whole stripes have codes then.
  let member: MemberSource?

  /// - Parameter ofFewRows: the keys of a few rows will be asked for, one by one.
  /// - Complexity: O(1) when the ranks of a coded column are kept; those of a member need all its codes.
  init(
    _ reader: RowReader, _ column: SortColumn, ascending: Bool, ofFewRows: Bool, _ stop: StopFlag
  ) throws(QueryStopped) {
    self.reader = reader
    self.column = column
    self.ascending = ascending
    let cache = reader.texts?.ranks ?? RankCache()
    switch column {
    case .codes(.source), .codes(.destination): (ranks, member) = (nil, nil)
    case .codes(let column) where ofFewRows:
      (ranks, member) = (cache.kept(column, codes: RankCache.codes(column, reader)), nil)
    case .codes(let column): (ranks, member) = (try cache.ranks(column, reader, stop), nil)
    case .transactionCurrency: (ranks, member) = (try cache.ranks(.currency, reader, stop), nil)
    case .metadata, .texts(.record):
      let source: MemberSource =
        switch column {
        case .metadata(let key): .metadata(reader.table, key)
        case .texts(.record(let field)): .record(reader.table, field)
        default: preconditionFailure("a member")
        }
      ranks = ofFewRows ? nil : try MemberScan(reader, stop).ranks(source)
      member = ranks == nil ? nil : source
    default: (ranks, member) = (nil, nil)
    }
  }

  /// Which equal codes mean equal keys.
  enum Exactness {
    case always
    /// Those between `AmountCode.low` and `AmountCode.high`; those beyond may stand for several values, and
    /// the largest for nulls.
    case betweenEdges
    case never
  }

  var exactness: Exactness {
    switch column {
    case .integers, .lineageFlag: .always
    case .amounts, .effectiveDate: .betweenEdges
    case .codes, .transactionCurrency: ranks == nil ? .never : .always
    case .texts, .metadata: ranks == nil ? .never : .always
    case .strategy, .status, .decimal: .never
    }
  }

  /// Whether `left` comes before `right` in the order asked for.
  @inline(__always)
  func precedes(_ left: SortEntry, _ right: SortEntry, _ exactness: Exactness) -> Bool {
    if left.code != right.code { return left.code < right.code }
    switch exactness {
    case .always: return left.tie < right.tie
    case .betweenEdges:
      if AmountCode.isExact(left.code) { return left.tie < right.tie }
    case .never: break
    }
    let order = exactOrder(left.row, right.row)
    if order == 0 { return left.tie < right.tie }
    return (order < 0) == ascending
  }

  @inline(__always)
  func entry(code: UInt64, _ row: RowIndex) -> SortEntry {
    ascending
      ? SortEntry(code: code, tie: row.rawValue, row: row)
      : SortEntry(code: ~code, tie: ~row.rawValue, row: row)
  }

  /// The order of two rows by their exact keys, ascending.
  private func exactOrder(_ left: RowIndex, _ right: RowIndex) -> Int {
    switch column {
    case .texts(.identifier): return Self.order(reader.identifiers, left, right)
    case .codes(.source), .codes(.destination):
      let column: CodeColumn = column == .codes(.source) ? .source : .destination
      return Self.order(
        reader.books.balances.identifiers, RowIndex(reader.code(column, left)),
        RowIndex(reader.code(column, right)))
    default: return SortKey.order(reader.sortKey(column, left), reader.sortKey(column, right))
    }
  }

  private static func order(_ identifiers: IdentifierColumn, _ left: RowIndex, _ right: RowIndex) -> Int {
    left == right ? 0 : identifiers.precedes(left, right) ? -1 : 1
  }

  // MARK: Codes

  /// The code of a row's key, ascending.
  func code(_ row: RowIndex) -> UInt64 {
    switch column {
    case .integers(let column): return Self.code(reader.integer(column, row))
    case .amounts(let column): return AmountCode.code(reader.amount(column, row))
    case .codes(.source): return Self.code(reader.books.balances.identifiers, reader.code(.source, row))
    case .codes(.destination):
      return Self.code(reader.books.balances.identifiers, reader.code(.destination, row))
    case .codes(let column): return rank(reader.code(column, row))
    case .transactionCurrency: return rank(reader.code(.currency, RowIndex(reader.code(.source, row))))
    case .texts(.identifier): return Self.code(reader.identifiers, row.rawValue)
    case .texts(let column): return reader.withText(column, row) { TextOrder.prefix($0) } ?? .max
    case .strategy: return Self.code(reader.books.balances.allocationStrategy(row).name)
    case .lineageFlag: return reader.books.balances.tracksFundLineage(row) ? 1 : 0
    case .status: return Self.code(reader.books.transactions.status(row).name)
    case .decimal: return Self.code(reader.decimal(row))
    case .effectiveDate: return reader.effectiveDate(row).map { Self.code($0) } ?? .max
    case .metadata(let key): return reader.withMetadataText(key, row) { TextOrder.prefix($0) } ?? .max
    }
  }

  @inline(__always)
  func rank(_ code: UInt32) -> UInt64 { ranks?.rank(code) ?? .max }

  /// Calls `body` with the ranks of a coded column.
  @inline(__always)
  func withRanks(_ body: (RankLookup) -> Void) {
    guard let ranks else { preconditionFailure("ranks of a coded column") }
    ranks.withLookup(body)
  }

  static func code(_ value: Int64) -> UInt64 { UInt64(bitPattern: value ^ .min) }

  /// All identifiers of a kind begin alike, and what tells them apart comes after the prefix; but for
  /// ledgers, one of which has no prefix.
  static func code(_ identifiers: IdentifierColumn, _ row: UInt32) -> UInt64 {
    let row = RowIndex(row)
    if identifiers.kind == .ledger {
      let text = Array(identifiers[row].text(kind: .ledger).utf8)
      return TextOrder.prefix(text.span)
    }
    let stored = identifiers.storedIdentifier(row)
    if stored.isUUID {
      var code: UInt64 = 0
      for digit in 0..<8 {
        let value = stored.high >> UInt64(60 - digit * 4) & 15
        code = code << 8 | (value < 10 ? value + 0x30 : value + 0x57)
      }
      return code
    }
    let text = Array(identifiers[row].text(kind: identifiers.kind).utf8.dropFirst(4))
    return TextOrder.prefix(text.span)
  }

  private static func code(_ name: StaticString) -> UInt64 {
    let text = Array(name.description.utf8)
    return TextOrder.prefix(text.span)
  }

  /// The whole part of the decimal amount, times 2^20, which rises with it.
  private static func code(_ value: (precise: Amount, precision: Amount)) -> UInt64 {
    let scaled = value.precise * Amount(Int64(1 << 20))
    let (quotient, remainder) = scaled.quotientAndRemainder(dividingBy: value.precision)
    return AmountCode.code(remainder.isNegative ? quotient - .one : quotient)
  }

  // MARK: What may still come

  /// The rows that do not come after `entry`, as a test that the vector unit can do; nil if there is none.
  func notBehind(_ entry: SortEntry) -> RowTest? {
    switch column {
    case .integers(let column):
      let value = reader.integer(column, entry.row)
      return .integers(column, IntegerRanges([ascending ? .min...value : value ... .max]))
    case .amounts(let column):
      let value = reader.amount(column, entry.row)
      return .amounts(column, AmountRanges(ascending ? .lessOrEqual : .greaterOrEqual, .amount(value)))
    default: return nil
    }
  }

  /// The rows with a key that comes before that of `entry`: all that come before it, where rows with the same
  /// key come after it because of where they lie. As `notBehind`, and far fewer when many keys are equal.
  func ahead(of entry: SortEntry) -> RowTest? {
    switch column {
    case .integers(let column):
      let value = reader.integer(column, entry.row)
      if value == (ascending ? .min : .max) { return .nothing }
      return .integers(column, IntegerRanges([ascending ? .min...value - 1 : value + 1 ... .max]))
    case .amounts(let column):
      let value = reader.amount(column, entry.row)
      return .amounts(column, AmountRanges(ascending ? .less : .greater, .amount(value)))
    default: return nil
    }
  }
}

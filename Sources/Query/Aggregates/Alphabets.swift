// The order of the codes of group columns: that of the texts, names and times that they stand for.

import Columns
import Ledger

/// Knows the order of codes without a cut: codes never change their meaning.
struct Alphabets {
  /// Columns with at most so many codes have the places of all of them kept; of others only the codes that
  /// occur are ordered.
  private static let keptLimit = 1 << 16

  private let books: Books
  /// The places of all codes of a column; none for the other columns.
  private(set) var ranks: [GroupColumn.Source: CodeRanks] = [:]

  /// - Complexity: O(1) when the places are kept, else O(codes · log codes) for columns with few codes.
  init(
    _ columns: [GroupColumn], _ reader: RowReader, _ cache: RankCache, _ stop: StopFlag
  ) throws(QueryStopped) {
    books = reader.books
    for column in columns {
      guard let (code, codes) = Self.coded(column.source, reader) else { continue }
      ranks[column.source] = try cache.ranks(code, codes: codes, reader, stop)
    }
  }

  /// The same if all places that are needed are kept; nil otherwise. O(columns).
  init?(kept columns: [GroupColumn], _ reader: RowReader, _ cache: RankCache) {
    books = reader.books
    for column in columns {
      guard let (code, codes) = Self.coded(column.source, reader) else { continue }
      guard let kept = cache.kept(code, codes: codes) else { return nil }
      ranks[column.source] = kept
    }
  }

  /// Whether all places that are needed are kept.
  static func areKept(_ columns: Set<GroupColumn>, _ reader: RowReader, _ cache: RankCache) -> Bool {
    columns.allSatisfy { column in
      guard let (code, codes) = coded(column.source, reader) else { return true }
      return cache.kept(code, codes: codes) != nil
    }
  }

  private static func coded(
    _ source: GroupColumn.Source, _ reader: RowReader
  ) -> (CodeColumn, Range<UInt32>)? {
    let cut = reader.cut
    let coded: (CodeColumn, Range<UInt32>)? =
      switch source {
      case .ledger: (.ledger, 0..<UInt32(cut.ledgerCount))
      case .currency: (.currency, 1..<UInt32(cut.currencyCount + 1))
      case .indicator: (.indicator, 1..<UInt32(cut.indicatorCount + 1))
      case .identity: (.identity, 1..<UInt32(cut.identityCount + 1))
      case .lineageFlag, .strategy, .status, .source, .destination, .created: nil
      }
    guard let coded, coded.1.count <= keptLimit else { return nil }
    return coded
  }

  /// Whether one code's text comes before another's, the absent value last.
  func precedes(_ left: UInt32, _ right: UInt32, _ source: GroupColumn.Source) -> Bool {
    switch source {
    case .created, .lineageFlag: return left < right
    case .strategy:
      return Self.name(AllocationStrategy(rawValue: UInt8(left))?.name)
        < Self.name(AllocationStrategy(rawValue: UInt8(right))?.name)
    case .status:
      return Self.name(TransactionStatus(rawValue: UInt8(left))?.name)
        < Self.name(TransactionStatus(rawValue: UInt8(right))?.name)
    case .ledger: return books.ledgers.identifiers.precedes(RowIndex(left), RowIndex(right))
    case .source, .destination:
      return books.balances.identifiers.precedes(RowIndex(left), RowIndex(right))
    case .identity:
      if left == 0 || right == 0 { return left != 0 }
      return books.identities.identifiers.precedes(RowIndex(left - 1), RowIndex(right - 1))
    case .currency: return Self.precedes(left, right, books.currencies)
    case .indicator: return Self.precedes(left, right, books.indicators)
    }
  }

  private static func name(_ name: StaticString?) -> String { name?.description ?? "" }

  private static func precedes(_ left: UInt32, _ right: UInt32, _ texts: TextDictionary) -> Bool {
    if left == 0 || right == 0 { return left != 0 }
    let (one, other) = unsafe (texts.bytes(of: left), texts.bytes(of: right))
    return unsafe TextOrder.order(
      one.bindMemory(to: UInt8.self).span, other.bindMemory(to: UInt8.self).span) < 0
  }
}

// The alphabetical place of every distinct text of a coded column, made once and kept.

import Columns
import Ledger
import Platform

/// The rank of each code by its text's UTF-8 bytes. Texts of codes never change and new codes only add to
/// them, so ranks made for more codes serve every older cut.
final class CodeRanks: Sendable {
  /// Codes in the order of their texts.
  let codes: [UInt32]
  /// By code; `UInt32.max` for the code of the absent value, which sorts last.
  let ranks: [UInt32]

  init(codes: [UInt32], codeCount: Int) {
    self.codes = codes
    var ranks = [UInt32](repeating: .max, count: codeCount)
    for (rank, code) in codes.enumerated() { ranks[Int(code)] = UInt32(rank) }
    self.ranks = ranks
  }
}

/// The ranks of all coded columns of one set of books.
final class RankCache: Sendable {
  private let kept = Guarded<[CodeColumn: CodeRanks]>([:])

  /// Ranks that know every code below `codeCount`.
  /// - Complexity: O(1) when they are kept; else O(new codes · log new codes + all codes).
  func ranks(
    _ column: CodeColumn, codes: Range<UInt32>, _ reader: RowReader, _ stop: StopFlag
  ) throws(QueryStopped) -> CodeRanks {
    let old = kept.withLock { $0[column] }
    if let old, old.ranks.count >= codes.upperBound { return old }
    let known = UInt32(old?.ranks.count ?? 0)
    var added = Array(max(codes.lowerBound, known)..<codes.upperBound)
    do {
      var comparisons = 0
      try added.sort { left, right in
        comparisons += 1
        if comparisons & 1023 == 0 { try stop.check() }
        return Self.precedes(left, right, column, reader)
      }
    } catch let stopped as QueryStopped {
      throw stopped
    } catch {
      preconditionFailure("only a stop ends a sort")
    }
    let merged = Self.merge(old?.codes ?? [], added) { Self.precedes($0, $1, column, reader) }
    let ranks = CodeRanks(codes: merged, codeCount: Int(codes.upperBound))
    kept.withLock { if $0[column]?.ranks.count ?? 0 < ranks.ranks.count { $0[column] = ranks } }
    return ranks
  }

  private static func precedes(
    _ left: UInt32, _ right: UInt32, _ column: CodeColumn, _ reader: RowReader
  ) -> Bool {
    switch column {
    case .ledger: reader.books.ledgers.identifiers.precedes(RowIndex(left), RowIndex(right))
    case .identity: reader.books.identities.identifiers.precedes(RowIndex(left - 1), RowIndex(right - 1))
    case .currency, .indicator, .source, .destination:
      (reader.withText(of: left, in: column) { left in
        reader.withText(of: right, in: column) { right in TextOrder.order(left, right) < 0 }
      } ?? nil) ?? false
    }
  }

  /// Ranks that know every code below `codes.upperBound`, if they are kept.
  func kept(_ column: CodeColumn, codes: Range<UInt32>) -> CodeRanks? {
    kept.withLock { kept in
      guard let ranks = kept[column], ranks.ranks.count >= codes.upperBound else { return nil }
      return ranks
    }
  }

  private static func merge(
    _ left: [UInt32], _ right: [UInt32], _ precedes: (UInt32, UInt32) -> Bool
  ) -> [UInt32] {
    if left.isEmpty { return right }
    var merged: [UInt32] = []
    merged.reserveCapacity(left.count + right.count)
    var place = 0
    for code in right {
      while place < left.count, !precedes(code, left[place]) {
        merged.append(left[place])
        place += 1
      }
      merged.append(code)
    }
    merged += left[place...]
    return merged
  }
}

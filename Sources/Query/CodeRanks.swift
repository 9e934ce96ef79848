// The alphabetical place of every distinct text of a coded column, made once and added to.

import Columns
import Ledger
import Platform
import Synchronization

/// Codes in the order of their texts: most in one sorted base, those that came later in a short sorted list
/// beside it, which is merged into the base when it has grown long. Texts of codes never change and new codes
/// only add to them, so ranks made for more codes serve every older cut.
final class RankTable: Sendable {
  /// Codes beside the base, at most. Beyond, all are merged: about 10 ns a code for one in 16,384 that comes.
  static let addedLimit = 16_384

  /// Codes in the order of their texts, then by number.
  let base: [UInt32]
  /// By code: its place among the distinct texts of the base; `UInt32.max` for a code that has no text.
  let baseRanks: [UInt32]
  /// The codes from `baseRanks.count` on, in the order of their texts, then by number.
  let added: [UInt32]
  /// Of each of `added`: codes of the base before it.
  let addedPlaces: [UInt32]
  /// By code less `baseRanks.count`: its rank.
  let addedRanks: [UInt64]

  /// Queries that have said that they read no more, for the thread sanitizer, which does not see reference
  /// counts.
  private let doneCount = Atomic<Int>(0)

  deinit { _ = doneCount.load(ordering: .acquiring) }

  func doneReading() { doneCount.add(1, ordering: .acquiringAndReleasing) }

  /// Codes below this have ranks.
  var codeCount: Int { baseRanks.count + addedRanks.count }

  /// - Parameters:
  ///   - old: what was made for fewer codes.
  ///   - codes: those that have a text; codes below them have none.
  ///   - prefix: eight bytes of the text from a multiple of eight on, as a number: numbers that differ, after
  ///     equal ones, never contradict `order`.
  /// - Complexity: O(codes) when they come in order; else O(new codes · log new codes), and O(all codes) once
  ///   in `addedLimit` codes.
  init(
    _ old: RankTable?, codes: Range<UInt32>, _ stop: StopFlag,
    prefix: (_ code: UInt32, _ depth: Int) -> UInt64,
    order: (UInt32, UInt32) -> Int
  ) throws(QueryStopped) {
    let known = UInt32(old?.codeCount ?? 0)
    let new = try Self.sorted(max(codes.lowerBound, known)..<codes.upperBound, stop, prefix, order)
    let together = Self.merge(old?.added ?? [], new, order)
    if let old, together.count <= Self.addedLimit, old.baseRanks.count > 0 {
      base = old.base
      baseRanks = old.baseRanks
      added = together
    } else {
      let all = Self.merge(old?.base ?? [], together, order)
      var ranks = [UInt32](repeating: .max, count: Int(codes.upperBound))
      var rank: UInt32 = 0
      for (place, code) in all.enumerated() {
        if place & 0xFFFF == 0 { try stop.check() }
        if place > 0, order(all[place - 1], code) != 0 { rank += 1 }
        ranks[Int(code)] = rank
      }
      base = all
      baseRanks = ranks
      added = []
    }
    (addedPlaces, addedRanks) = Self.ranksOfAdded(
      added, base, baseRanks, codeCount: Int(codes.upperBound) - baseRanks.count, order)
  }

  /// A base code of rank r has (r + 1) · 2^32; an added one lies between those of its neighbours, or where
  /// the same text has a rank already, there.
  private static func ranksOfAdded(
    _ added: [UInt32], _ base: [UInt32], _ baseRanks: [UInt32], codeCount: Int,
    _ order: (UInt32, UInt32) -> Int
  ) -> (places: [UInt32], ranks: [UInt64]) {
    var ranks = [UInt64](repeating: .max, count: codeCount)
    var places: [UInt32] = []
    var last: (code: UInt32, rank: UInt64)?
    for (number, code) in added.enumerated() {
      var (low, high) = (0, base.count)
      while low < high {
        let middle = (low + high) / 2
        if order(base[middle], code) <= 0 { low = middle + 1 } else { high = middle }
      }
      places.append(UInt32(low))
      let below = low == 0 ? 0 : UInt64(baseRanks[Int(base[low - 1])] + 1) << 32
      let rank: UInt64
      if low > 0, order(base[low - 1], code) == 0 {
        rank = below
      } else if let last, order(last.code, code) == 0 {
        rank = last.rank
      } else {
        rank = below + UInt64(number + 1)
      }
      ranks[Int(code) - baseRanks.count] = rank
      last = (code, rank)
    }
    return (places, ranks)
  }

  /// The codes by text, then by number: by the first eight bytes, then, where those are equal, by the next.
  private static func sorted(
    _ codes: Range<UInt32>, _ stop: StopFlag, _ prefix: (_ code: UInt32, _ depth: Int) -> UInt64,
    _ order: (UInt32, UInt32) -> Int
  ) throws(QueryStopped) -> [UInt32] {
    if codes.isEmpty { return [] }
    var entries: [SortEntry] = []
    entries.reserveCapacity(codes.count)
    var rises = true
    for code in codes {
      if code & 0xFFFF == 0 { try stop.check() }
      let prefix = prefix(code, 0)
      if rises, let last = entries.last, prefix <= last.code {
        rises = prefix == last.code && order(last.tie, code) <= 0
      }
      entries.append(SortEntry(code: prefix, tie: code, row: RowIndex(0 as UInt32)))
    }
    if rises { return Array(codes) }
    try sort(&entries, 0..<entries.count, 0, stop, prefix, order)
    return entries.map(\.tie)
  }

  /// Bytes that are looked at by eights; what agrees in so many is compared.
  private static let depthLimit = 64

  private static func sort(
    _ entries: inout [SortEntry], _ range: Range<Int>, _ depth: Int, _ stop: StopFlag,
    _ prefix: (_ code: UInt32, _ depth: Int) -> UInt64, _ order: (UInt32, UInt32) -> Int
  ) throws(QueryStopped) {
    try stop.check()
    if range.count >= RadixSort.leastCount {
      entries.replaceSubrange(range, with: try RadixSort.sorted(Array(entries[range]), stop))
    } else {
      entries[range].sort { ($0.code, $0.tie) < ($1.code, $1.tie) }
    }
    var start = range.lowerBound
    while start < range.upperBound {
      var end = start + 1
      while end < range.upperBound, entries[end].code == entries[start].code { end += 1 }
      if end - start > 1 {
        // A number of 0 may be the end of the text or bytes of 0.
        if depth + 8 >= depthLimit || entries[start].code == 0 || end - start < 8 {
          entries[start..<end].sort { left, right in
            let exact = order(left.tie, right.tie)
            return exact == 0 ? left.tie < right.tie : exact < 0
          }
        } else {
          for place in start..<end { entries[place].code = prefix(entries[place].tie, depth + 8) }
          try sort(&entries, start..<end, depth + 8, stop, prefix, order)
        }
      }
      start = end
    }
  }

  /// Those of the right have greater codes, so they come behind equal texts.
  private static func merge(
    _ left: [UInt32], _ right: [UInt32], _ order: (UInt32, UInt32) -> Int
  ) -> [UInt32] {
    if left.isEmpty { return right }
    if right.isEmpty { return left }
    var merged: [UInt32] = []
    merged.reserveCapacity(left.count + right.count)
    var place = 0
    for code in right {
      // Few come between many: the place is searched for, not walked to.
      var (low, high) = (place, left.count)
      while low < high {
        let middle = (low + high) / 2
        if order(left[middle], code) <= 0 { low = middle + 1 } else { high = middle }
      }
      merged += left[place..<low]
      place = low
      merged.append(code)
    }
    merged += left[place...]
    return merged
  }
}

/// The ranks that one query reads.
final class CodeRanks: Sendable {
  let table: RankTable
  fileprivate let baseRanks: [UInt32]
  fileprivate let addedRanks: [UInt64]

  init(_ table: RankTable) {
    self.table = table
    baseRanks = table.baseRanks
    addedRanks = table.addedRanks
  }

  deinit { table.doneReading() }

  /// Codes below this have ranks.
  var codeCount: Int { table.codeCount }

  /// Rises with the text and is equal for equal texts only; `UInt64.max` for the absent value, which sorts
  /// last.
  @inline(__always)
  func rank(_ code: UInt32) -> UInt64 {
    if Int(code) < baseRanks.count {
      let rank = baseRanks[Int(code)]
      return rank == .max ? .max : UInt64(rank + 1) << 32
    }
    let place = Int(code) - baseRanks.count
    return place < addedRanks.count ? addedRanks[place] : .max
  }

  /// The number of codes before this one, where texts are distinct; nil for the absent value.
  /// - Complexity: O(log added codes).
  func place(_ code: UInt32) -> Int? {
    let rank = rank(code)
    if rank == .max { return nil }
    let (below, number) = (Int(rank >> 32), Int(rank & 0xFFFF_FFFF))
    if number > 0 { return below + number - 1 }
    var (low, high) = (0, table.addedPlaces.count)
    while low < high {
      let middle = (low + high) / 2
      if table.addedPlaces[middle] < below { low = middle + 1 } else { high = middle }
    }
    return below - 1 + low
  }

  /// Calls `body` with each code that has a text, in the order of the texts (equal ones by number, in the
  /// same direction), until it returns false.
  func forEachCode(ascending: Bool, _ body: (UInt32) -> Bool) {
    let (base, added, places) = (table.base, table.added, table.addedPlaces)
    if ascending {
      var start = 0
      for (number, code) in added.enumerated() {
        for place in start..<Int(places[number]) where !body(base[place]) { return }
        start = Int(places[number])
        if !body(code) { return }
      }
      for place in start..<base.count where !body(base[place]) { return }
    } else {
      var end = base.count
      for number in added.indices.reversed() {
        let start = Int(places[number])
        for place in stride(from: end - 1, through: start, by: -1) where !body(base[place]) { return }
        end = start
        if !body(added[number]) { return }
      }
      for place in stride(from: end - 1, through: 0, by: -1) where !body(base[place]) { return }
    }
  }
}

/// Ranks for a loop over rows: plain memory, so that no row touches a reference count.
@safe struct RankLookup {
  fileprivate let base: UnsafeBufferPointer<UInt32>
  fileprivate let added: UnsafeBufferPointer<UInt64>

  /// As `CodeRanks.rank`.
  @inline(__always)
  subscript(code: UInt32) -> UInt64 {
    let place = Int(code)
    if unsafe place < base.count {
      let rank = unsafe base.baseAddress.unsafelyUnwrapped[place]
      return rank == .max ? .max : UInt64(rank &+ 1) << 32
    }
    let number = unsafe place - base.count
    return unsafe number < added.count ? unsafe added.baseAddress.unsafelyUnwrapped[number] : .max
  }
}

extension CodeRanks {
  @inline(__always)
  func withLookup(_ body: (RankLookup) -> Void) {
    unsafe baseRanks.withUnsafeBufferPointer { base in
      unsafe addedRanks.withUnsafeBufferPointer { added in
        unsafe body(RankLookup(base: base, added: added))
      }
    }
  }
}

/// The ranks of all coded columns of one set of books.
final class RankCache: Sendable {
  private struct Key: Hashable {
    let column: CodeColumn
    let isReversed: Bool
  }

  private let kept = Guarded<[Key: RankTable]>([:])

  /// The codes of `column` that have a text and may stand in rows of the cut.
  static func codes(_ column: CodeColumn, _ reader: RowReader) -> Range<UInt32> {
    switch column {
    case .ledger: 0..<UInt32(reader.cut.ledgerCount)
    case .currency: 1..<UInt32(reader.books.currencies.count + 1)
    case .indicator: 1..<UInt32(reader.books.indicators.count + 1)
    case .identity: 1..<UInt32(reader.cut.identityCount + 1)
    case .source, .destination: 0..<UInt32(reader.cut.balanceCount)
    }
  }

  /// Ranks that know every code that stands in rows of the reader's cut.
  /// - Parameter isReversed: texts are compared from their last byte to their first; for currencies and
  ///   indicators.
  /// - Complexity: O(1) when they are kept; else see `RankTable`.
  func ranks(
    _ column: CodeColumn, isReversed: Bool = false, _ reader: RowReader, _ stop: StopFlag
  ) throws(QueryStopped) -> CodeRanks {
    try ranks(column, codes: Self.codes(column, reader), isReversed: isReversed, reader, stop)
  }

  /// Ranks that know every code below `codes.upperBound`, if they are kept.
  func kept(_ column: CodeColumn, codes: Range<UInt32>) -> CodeRanks? {
    let ranks = kept.withLock { $0[Key(column: column, isReversed: false)].map { CodeRanks($0) } }
    return ranks.flatMap { $0.codeCount >= codes.upperBound ? $0 : nil }
  }

  /// Ranks that know every code below `codes.upperBound`; codes below the lower bound have no text.
  func ranks(
    _ column: CodeColumn, codes: Range<UInt32>, isReversed: Bool = false, _ reader: RowReader,
    _ stop: StopFlag
  ) throws(QueryStopped) -> CodeRanks {
    let key = Key(column: column, isReversed: isReversed)
    let old = kept.withLock { $0[key].map { CodeRanks($0) } }
    if let old, old.codeCount >= codes.upperBound { return old }
    let made = try RankTable(
      old?.table, codes: codes, stop,
      prefix: { Self.prefix($0, $1, column, reader, isReversed: isReversed) },
      order: { Self.order($0, $1, column, reader, isReversed: isReversed) })
    let ranks = CodeRanks(made)
    kept.withLock { if $0[key]?.codeCount ?? 0 < made.codeCount { $0[key] = made } }
    return ranks
  }

  /// Of identifiers the first eight digits only.
  private static func prefix(
    _ code: UInt32, _ depth: Int, _ column: CodeColumn, _ reader: RowReader, isReversed: Bool
  ) -> UInt64 {
    func first(_ identifiers: IdentifierColumn, _ row: UInt32) -> UInt64 {
      depth == 0 && !isReversed ? RowOrder.code(identifiers, row) : 0
    }
    switch column {
    case .ledger: return first(reader.books.ledgers.identifiers, code)
    case .identity: return first(reader.books.identities.identifiers, code - 1)
    case .source, .destination: return first(reader.books.balances.identifiers, code)
    case .currency, .indicator:
      return reader.withText(of: code, in: column) {
        isReversed ? TextOrder.suffix($0, depth) : TextOrder.prefix($0, depth)
      } ?? 0
    }
  }

  private static func order(
    _ left: UInt32, _ right: UInt32, _ column: CodeColumn, _ reader: RowReader, isReversed: Bool
  ) -> Int {
    func order(_ identifiers: IdentifierColumn, _ left: UInt32, _ right: UInt32) -> Int {
      left == right ? 0 : identifiers.precedes(RowIndex(left), RowIndex(right)) ? -1 : 1
    }
    switch column {
    case .ledger: return order(reader.books.ledgers.identifiers, left, right)
    case .identity: return order(reader.books.identities.identifiers, left - 1, right - 1)
    case .source, .destination: return order(reader.books.balances.identifiers, left, right)
    case .currency, .indicator:
      let order = reader.withText(of: left, in: column) { left in
        reader.withText(of: right, in: column) { right in
          isReversed ? TextOrder.orderFromEnd(left, right) : TextOrder.order(left, right)
        }
      }
      return (order ?? nil) ?? 0
    }
  }
}

// Which codes of a coded column have a text that passes a test: patterns and ranges over distinct values.

import Columns
import Ledger
import Platform

/// Decides tests once for each distinct text, and keeps what it found for the codes there were. Texts of
/// codes never change, so only codes that came later are looked at when the test comes again.
///
/// Prefixes, suffixes and ranges are found by binary search, once the order of the texts has paid: a search
/// is some microseconds and one for each thousand codes that pass; reading all texts is 10 ns a code.
final class CodeMatches: Sendable {
  private struct Outcome {
    let column: CodeColumn
    let test: TextTest
    var marks: CodeMarks
  }

  private struct OrderKey: Hashable {
    let column: CodeColumn
    let isReversed: Bool
  }

  /// Tests whose outcome is kept.
  static let keptTests = 16
  /// Bytes of all outcomes kept, about.
  private static let byteLimit = 32 << 20
  /// So many codes are sorted without more ado.
  private static let smallCount = 1 << 16
  /// More are sorted when their texts have been read so often.
  private static let readsBeforeOrder = 3
  /// Fewer are read one by one in any case.
  private static let leastOrdered = 256

  /// The one used last at the end.
  private let outcomes = Guarded<[Outcome]>([])
  /// How often all texts were read because there was no order.
  private let reads = Guarded<[OrderKey: Int]>([:])

  /// The codes of `column` that pass, among all that may stand in rows of the reader's cut.
  /// - Complexity: O(codes added since the test was last asked for); see the type for the first time. A copy
  ///   of the marks always.
  func marks(
    _ column: CodeColumn, _ test: TextTest, _ reader: RowReader, _ stop: StopFlag
  ) throws(QueryStopped) -> CodeMarks {
    let codes = RankCache.codes(column, reader)
    var marks = outcomes.withLock { outcomes in
      guard let place = outcomes.firstIndex(where: { $0.column == column && $0.test == test }) else {
        return CodeMarks()
      }
      let outcome = outcomes.remove(at: place)
      outcomes.append(outcome)
      return outcome.marks.copy()
    }
    if marks.codeCount >= codes.upperBound { return marks }
    let added = max(codes.lowerBound, UInt32(marks.codeCount))..<codes.upperBound
    marks.grow(to: Int(codes.upperBound))
    try mark(&marks, added, column, test, reader, stop)
    keep(Outcome(column: column, test: test, marks: marks.copy()))
    return marks
  }

  private func keep(_ outcome: Outcome) {
    outcomes.withLock { outcomes in
      if let place = outcomes.firstIndex(where: { $0.column == outcome.column && $0.test == outcome.test }) {
        if outcomes[place].marks.codeCount >= outcome.marks.codeCount { return }
        outcomes.remove(at: place)
      }
      outcomes.append(outcome)
      var bytes = outcomes.reduce(0) { $0 + $1.marks.words.count * 8 }
      while outcomes.count > Self.keptTests || (bytes > Self.byteLimit && outcomes.count > 1) {
        bytes -= outcomes.removeFirst().marks.words.count * 8
      }
    }
  }

  private func mark(
    _ marks: inout CodeMarks, _ added: Range<UInt32>, _ column: CodeColumn, _ test: TextTest,
    _ reader: RowReader, _ stop: StopFlag
  ) throws(QueryStopped) {
    switch column {
    case .currency, .indicator:
      if added.lowerBound <= 1, added.count >= Self.leastOrdered, let bounds = TextBounds(test),
        orderPays(OrderKey(column: column, isReversed: bounds.isReversed), added.count)
      {
        let ranks = try reader.texts?.ranks.ranks(column, isReversed: bounds.isReversed, reader, stop)
        if let ranks { return mark(&marks, ranks, column, bounds, reader) }
      }
      let search = TextSearch(test)
      let dictionary = column == .currency ? reader.books.currencies : reader.books.indicators
      for code in added {
        if code & 4095 == 0 { try stop.check() }
        if unsafe search.matches(dictionary.bytes(of: code)) { marks.set(Int(code)) }
      }
    case .ledger: try mark(&marks, added, 0, reader.books.ledgers.identifiers, test, reader, stop)
    case .identity: try mark(&marks, added, 1, reader.books.identities.identifiers, test, reader, stop)
    case .source, .destination:
      try mark(&marks, added, 0, reader.books.balances.identifiers, test, reader, stop)
    }
  }

  /// - Parameter base: the code of row 0.
  private func mark(
    _ marks: inout CodeMarks, _ added: Range<UInt32>, _ base: UInt32, _ identifiers: IdentifierColumn,
    _ test: TextTest, _ reader: RowReader, _ stop: StopFlag
  ) throws(QueryStopped) {
    if case .like(let like) = test {
      let pattern = IdentifierPattern(like, kind: identifiers.kind)
      var row = Int(added.lowerBound - base)
      let end = Int(added.upperBound - base)
      while row < end {
        if row & 4095 < 64 { try stop.check() }
        // Not across the end of a segment.
        let count = min(64, end - row, 64 - row & 63)
        let stored = unsafe identifiers.storedIdentifiers(from: RowIndex(row), count: count)
        var rest = unsafe pattern.candidates(stored.baseAddress.unsafelyUnwrapped, count: count)
        while rest != 0 {
          let found = RowIndex(row + rest.trailingZeroBitCount)
          if pattern.matches(found, identifiers, reader) { marks.set(found.index + Int(base)) }
          rest &= rest &- 1
        }
        row += count
      }
      return
    }
    for code in added {
      if code & 1023 == 0 { try stop.check() }
      if reader.withIdentifier(identifiers, RowIndex(code - base), { test.matches($0) }) {
        marks.set(Int(code))
      }
    }
  }

  private func orderPays(_ key: OrderKey, _ count: Int) -> Bool {
    if count <= Self.smallCount { return true }
    return reads.withLock { reads in
      reads[key, default: 0] += 1
      return reads[key, default: 0] > Self.readsBeforeOrder
    }
  }

  private func mark(
    _ marks: inout CodeMarks, _ ranks: CodeRanks, _ column: CodeColumn, _ bounds: TextBounds,
    _ reader: RowReader
  ) {
    func place(_ code: UInt32) -> Int { reader.withText(of: code, in: column) { bounds.place(of: $0) } ?? 1 }
    for codes in [ranks.table.base, ranks.table.added] {
      let start = Self.partition(codes) { place($0) < 0 }
      let end = Self.partition(codes) { place($0) <= 0 }
      if start < end { for code in codes[start..<end] where code < marks.codeCount { marks.set(Int(code)) } }
    }
  }

  /// The number of codes at the front for which `isBefore` holds.
  private static func partition(_ codes: [UInt32], _ isBefore: (UInt32) -> Bool) -> Int {
    var (low, high) = (0, codes.count)
    while low < high {
      let middle = (low + high) / 2
      if isBefore(codes[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// A test that the texts of one stretch of their order pass, and no other.
struct TextBounds {
  /// The order is that of texts read from their end.
  let isReversed: Bool
  private let test: TextTest
  private let run: [UInt8]?

  /// Nil for other tests.
  init?(_ test: TextTest) {
    self.test = test
    switch test {
    case .range: (isReversed, run) = (false, nil)
    case .like(let pattern) where !pattern.ignoresCase:
      switch pattern.shape {
      case .prefix(let bytes): (isReversed, run) = (false, bytes)
      case .suffix(let bytes): (isReversed, run) = (true, bytes)
      default: return nil
      }
    default: return nil
    }
  }

  /// Negative for texts that come before the stretch, zero for those in it, positive behind it.
  func place(of text: Span<UInt8>) -> Int {
    if let run {
      let part = min(run.count, text.count)
      return isReversed
        ? TextOrder.orderFromEnd(text.extracting(last: part), run.span)
        : TextOrder.order(text.extracting(first: part), run.span)
    }
    guard case .range(let low, let includesLow, let high, let includesHigh) = test else { return 1 }
    if let low {
      let order = TextOrder.order(text, low.span)
      if order < 0 || (order == 0 && !includesLow) { return -1 }
    }
    if let high {
      let order = TextOrder.order(text, high.span)
      if order > 0 || (order == 0 && !includesHigh) { return 1 }
    }
    return 0
  }
}

/// A test of texts that lie one after the other in memory, with the run of a pattern looked for by a loop of
/// the vector unit.
@safe struct TextSearch {
  private let test: TextTest
  private let shape: LikePattern.Shape
  private let ignoresCase: Bool

  init(_ test: TextTest) {
    self.test = test
    if case .like(let pattern) = test {
      (shape, ignoresCase) = (pattern.shape, pattern.ignoresCase)
    } else {
      (shape, ignoresCase) = (.general, false)
    }
  }

  @inline(__always)
  func matches(_ text: UnsafeRawBufferPointer) -> Bool {
    if !ignoresCase, case .infix(let run) = shape { return unsafe Self.has(run, text) }
    let span = unsafe text.bindMemory(to: UInt8.self).span
    if ignoresCase, case .infix(let run) = shape, text.count <= 256 {
      // Other than ASCII: as the pattern does it.
      let isFound = unsafe withUnsafeTemporaryAllocation(byteCount: 256, alignment: 8) { folded -> Bool? in
        for place in 0..<text.count {
          let byte = unsafe text[place]
          if byte >= 0x80 { return nil }
          unsafe folded[place] = byte &- 0x41 < 26 ? byte | 0x20 : byte
        }
        return unsafe Self.has(run, UnsafeRawBufferPointer(rebasing: folded[..<text.count]))
      }
      if let isFound { return isFound }
    }
    return test.matches(span)
  }

  @inline(__always)
  private static func has(_ run: [UInt8], _ text: UnsafeRawBufferPointer) -> Bool {
    unsafe run.withUnsafeBytes { unsafe Kernels.firstPlace(of: $0, in: text) != nil }
  }
}

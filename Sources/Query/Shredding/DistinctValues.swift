// The distinct values of one metadata member (or one text of a record), and which of them pass a test.

import Columns
import Ledger
import Platform

/// Distinct typed values, numbered from 1 in order of first use; 0 stands for null and for what is missing.
/// Values that differ in type or in text are different, so 5 and 5.0 have two codes. Nothing is removed, and
/// when there are too many, no code is given out any more. Any number of threads.
///
/// Each value lies in a dictionary as its kind (one byte) and its text. Beside it lies a number that never
/// contradicts the order of what looks like a number, so that a range is one loop over 64-bit lanes.
final class DistinctValues: Sendable {
  /// Values at most.
  static let valueLimit = 1 << 20
  /// Bytes of their texts at most.
  static let byteLimit = 64 << 20
  /// Beyond so many values the rows are asked, too: values that are nearly as many as rows are no use.
  static let freeValueCount = 1 << 16
  /// Tests whose outcome is kept.
  private static let keptTests = 8

  let texts = TextDictionary()
  /// By code: `NumberText.code`, or `noNumber`.
  private let numbers = SegmentedColumn<Int64>()
  private let state = Guarded<State>(State())

  private struct State {
    var isFull = false
    /// Values that rows had which are not null; a row counts again when it is read again.
    var rowCount = 0
    /// Outcomes, the one used last at the end.
    var outcomes: [Outcome] = []
    var ranks: RankTable?
  }

  private struct Outcome {
    let condition: MetadataTest.Condition
    var marks: CodeMarks
  }

  static let noNumber = Int64.min

  init() { numbers.append(Self.noNumber, at: RowIndex(0 as UInt32)) }

  /// Whoever reads the texts takes the lock afterwards, so all of them have ended before the memory goes.
  deinit { state.withLock { $0.outcomes = [] } }

  /// Bytes of texts, numbers and index.
  var byteCount: Int { texts.byteCount + texts.count * 8 }

  /// Codes are 0 to this.
  var count: Int { texts.count }

  /// Whether codes are no longer given out.
  var isFull: Bool { state.withLock { $0.isFull } }

  // MARK: Codes

  /// The code of a value that is not null, new if need be; nil when there are too many. O(bytes).
  func code(_ kind: MetadataMember.Kind, _ text: Span<UInt8>) -> UInt32? {
    unsafe Self.withStored(kind, text) { stored in
      if let code = unsafe texts.code(of: stored) { return code }
      return state.withLock { state in
        // Another thread may have been first.
        if let code = unsafe texts.code(of: stored) { return code }
        guard !state.isFull else { return nil }
        if texts.count >= Self.valueLimit || texts.byteCount >= Self.byteLimit
          || (texts.count >= Self.freeValueCount && texts.count > state.rowCount / 4)
        {
          state.isFull = true
          return nil
        }
        let number = kind == .number || kind == .text ? NumberText(text) : nil
        numbers.append(number?.code ?? Self.noNumber, at: RowIndex(texts.count + 1))
        return unsafe texts.intern(stored)
      }
    }
  }

  /// Says how many rows had values, so that values which are nearly all different are noticed.
  func noteRows(_ count: Int) { state.withLock { $0.rowCount += count } }

  private func knownCode(_ kind: MetadataMember.Kind, _ text: Span<UInt8>) -> UInt32? {
    unsafe Self.withStored(kind, text) { unsafe texts.code(of: $0) }
  }

  private static func withStored<Result>(
    _ kind: MetadataMember.Kind, _ text: Span<UInt8>, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    unsafe withUnsafeTemporaryAllocation(byteCount: text.count + 1, alignment: 8) { buffer in
      unsafe buffer[0] = kind.rawValue
      unsafe text.withUnsafeBytes { bytes in
        if bytes.count > 0 {
          unsafe (buffer.baseAddress.unsafelyUnwrapped + 1).copyMemory(
            from: bytes.baseAddress.unsafelyUnwrapped, byteCount: bytes.count)
        }
      }
      return unsafe body(UnsafeRawBufferPointer(buffer))
    }
  }

  /// Calls `body` with the kind and the text of a code that is not 0.
  @inline(__always)
  func withValue<Result>(
    _ code: UInt32, _ body: (MetadataMember.Kind, Span<UInt8>) -> Result
  ) -> Result {
    let stored = unsafe texts.bytes(of: code)
    let kind = unsafe MetadataMember.Kind(rawValue: stored[0]) ?? .other
    let text = unsafe UnsafeRawBufferPointer(rebasing: stored[1...]).bindMemory(to: UInt8.self)
    return unsafe body(kind, text.span)
  }

  // MARK: Tests

  /// The codes that pass, of all there are at the moment.
  /// - Complexity: O(codes added since the test was last asked for); a copy of the marks always.
  func marks(
    _ condition: MetadataTest.Condition, _ stop: StopFlag
  ) throws(QueryStopped) -> CodeMarks {
    var marks = state.withLock { state in
      guard let place = state.outcomes.firstIndex(where: { $0.condition == condition }) else {
        return CodeMarks()
      }
      let outcome = state.outcomes.remove(at: place)
      state.outcomes.append(outcome)
      return outcome.marks.copy()
    }
    let count = texts.count + 1
    if marks.codeCount >= count { return marks }
    try extend(&marks, to: count, condition, stop)
    let kept = marks.copy()
    state.withLock { state in
      if let place = state.outcomes.firstIndex(where: { $0.condition == condition }) {
        if state.outcomes[place].marks.codeCount < kept.codeCount { state.outcomes[place].marks = kept }
      } else {
        if state.outcomes.count == Self.keptTests { state.outcomes.removeFirst() }
        state.outcomes.append(Outcome(condition: condition, marks: kept))
      }
    }
    return marks
  }

  private func extend(
    _ marks: inout CodeMarks, to count: Int, _ condition: MetadataTest.Condition, _ stop: StopFlag
  ) throws(QueryStopped) {
    let first = marks.codeCount
    marks.grow(to: count)
    if first == 0 && condition.matchesNull { marks.set(0) }
    let added = max(first, 1)..<count
    switch condition {
    case .nothing, .isNull: return
    case .isNotNull: marks.set(added)
    case .equal(let value): markEqual(value, added, &marks)
    case .notEqual(let value):
      var equal = CodeMarks()
      equal.grow(to: count)
      markEqual(value, added, &equal)
      marks.set(added)
      marks.subtract(equal)
    case .range(let low, _, let high, _):
      markNumbers(low?.code ?? .min + 1, high?.code ?? .max, added, &marks) { code in
        withValue(code) { condition.matches($0, $1) }
      }
    case .member(let values):
      let members = MemberSet(values)
      try markEach(added, &marks, stop) { members.contains($0, $1) }
    case .text(.equal(let text), _):
      if let code = knownCode(.text, text.span), added.contains(Int(code)) { marks.set(Int(code)) }
    case .like, .beyond, .sameText, .text:
      try markEach(added, &marks, stop) { condition.matches($0, $1) }
    }
  }

  private func markEqual(_ value: MetadataTest.Value, _ added: Range<Int>, _ marks: inout CodeMarks) {
    guard let number = value.number else {
      if let code = knownCode(value.kind, value.text.span), added.contains(Int(code)) { marks.set(Int(code)) }
      return
    }
    let condition = MetadataTest.Condition.equal(value)
    markNumbers(number.code, number.code, added, &marks) { code in
      withValue(code) { condition.matches($0, $1) }
    }
  }

  /// Marks the codes whose number lies between the bounds; at the bounds `isExact` decides.
  private func markNumbers(
    _ low: Int64, _ high: Int64, _ added: Range<Int>, _ marks: inout CodeMarks, _ isExact: (UInt32) -> Bool
  ) {
    if low > high { return }
    let segmentRows = 1 << 16
    var start = added.lowerBound & ~63
    var inside = CodeMarks()
    inside.grow(to: segmentRows)
    while start < added.upperBound {
      let end = min(added.upperBound, (start / segmentRows + 1) * segmentRows)
      let values = unsafe numbers.values(from: RowIndex(start), count: end - start)
      let lanes = unsafe values.baseAddress.unsafelyUnwrapped
      unsafe inside.select(lanes, rowCount: end - start, in: low...high)
      inside.forEach(below: end - start) { place in
        let code = start + place
        let number = unsafe lanes[place]
        guard code >= added.lowerBound else { return }
        if (number != low && number != high) || isExact(UInt32(code)) { marks.set(code) }
      }
      start = end
    }
  }

  private func markEach(
    _ added: Range<Int>, _ marks: inout CodeMarks, _ stop: StopFlag,
    _ isMember: (MetadataMember.Kind, Span<UInt8>) -> Bool
  ) throws(QueryStopped) {
    for code in added {
      if code & 1023 == 0 { try stop.check() }
      if withValue(UInt32(code), isMember) { marks.set(code) }
    }
  }

  // MARK: Order

  /// The order of the values' texts, whatever their types; equal texts share a place.
  /// - Complexity: O(1) when no value was added; see `RankTable` for the rest.
  func ranks(_ stop: StopFlag) throws(QueryStopped) -> CodeRanks {
    let old = state.withLock { $0.ranks.map { CodeRanks($0) } }
    let count = texts.count + 1
    if let old, old.codeCount >= count { return old }
    let made = try RankTable(
      old?.table, codes: 1..<UInt32(count), stop,
      prefix: { code, depth in withValue(code) { TextOrder.prefix($1, depth) } },
      order: { left, right in
        withValue(left) { _, left in withValue(right) { _, right in TextOrder.order(left, right) } }
      })
    let ranks = CodeRanks(made)
    state.withLock { state in
      if state.ranks?.codeCount ?? 0 < made.codeCount { state.ranks = made }
    }
    return ranks
  }
}

/// The values of an `in`, looked up by hash.
private struct MemberSet {
  private var texts: Set<[UInt8]> = []
  private var numbers: Set<NumberText> = []

  init(_ values: [MetadataTest.Value]) {
    for value in values {
      texts.insert(value.text)
      if value.kind == .number, let number = value.number { numbers.insert(number) }
    }
  }

  /// Equal values that are no numbers have the same text.
  func contains(_ kind: MetadataMember.Kind, _ text: Span<UInt8>) -> Bool {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    for place in text.indices { bytes.append(text[place]) }
    if texts.contains(bytes) { return true }
    guard kind == .number, !numbers.isEmpty, let number = NumberText(text) else { return false }
    return numbers.contains(number)
  }
}

extension NumberText {
  /// A number of 64 bits that never contradicts `order`: sign, exponent (held within ±511), fifteen digits.
  /// Never `Int64.min`.
  var code: Int64 {
    if digits.isEmpty { return 0 }
    // All numbers with an exponent beyond those that there is room for share a code.
    let power = Int64(min(max(exponent, -511), 511) + 512)
    var leading: Int64 = 0
    if abs(exponent) < 511 {
      for place in 0..<15 { leading = leading * 10 + (place < digits.count ? Int64(digits[place]) : 0) }
    }
    let magnitude = power << 50 | leading
    return isNegative ? -magnitude : magnitude
  }
}

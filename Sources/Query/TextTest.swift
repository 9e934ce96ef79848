// What a predicate on texts comes down to: one test of UTF-8 bytes.

/// A test of a text. Order is that of UTF-8 bytes, which is that of code points.
enum TextTest: Hashable, Sendable {
  /// No text at all passes (the operand was null, or nulls are looked for).
  case nothing
  case everything
  case equal([UInt8])
  case notEqual([UInt8])
  case member(Set<[UInt8]>)
  /// A missing bound is infinite.
  case range(low: [UInt8]?, includesLow: Bool, high: [UInt8]?, includesHigh: Bool)
  case like(LikePattern)

  /// The texts that `op operand` holds for. Nulls are their caller's business.
  init(_ op: FilterOperator, _ operand: Operand) {
    switch (op, operand) {
    case (.isNotNull, _): self = .everything
    case (.equal, .text(let text)): self = .equal(Array(text.utf8))
    case (.notEqual, .text(let text)): self = .notEqual(Array(text.utf8))
    case (.greater, .text(let text)):
      self = .range(low: Array(text.utf8), includesLow: false, high: nil, includesHigh: false)
    case (.greaterOrEqual, .text(let text)):
      self = .range(low: Array(text.utf8), includesLow: true, high: nil, includesHigh: false)
    case (.less, .text(let text)):
      self = .range(low: nil, includesLow: false, high: Array(text.utf8), includesHigh: false)
    case (.lessOrEqual, .text(let text)):
      self = .range(low: nil, includesLow: false, high: Array(text.utf8), includesHigh: true)
    case (.like, .text(let text)): self = .like(LikePattern(text, ignoresCase: false))
    case (.ilike, .text(let text)): self = .like(LikePattern(text, ignoresCase: true))
    case (.between, .list(let bounds)):
      guard bounds.count == 2, case .text(let low) = bounds[0], case .text(let high) = bounds[1] else {
        self = .nothing
        return
      }
      self = .range(low: Array(low.utf8), includesLow: true, high: Array(high.utf8), includesHigh: true)
    case (.isIn, .list(let operands)):
      var members: Set<[UInt8]> = []
      for case .text(let text) in operands { members.insert(Array(text.utf8)) }
      self = members.isEmpty ? .nothing : .member(members)
    default: self = .nothing
    }
  }

  /// Whether the text passes.
  func matches(_ text: Span<UInt8>) -> Bool {
    switch self {
    case .nothing: return false
    case .everything: return true
    case .equal(let bytes): return TextOrder.order(text, bytes.span) == 0
    case .notEqual(let bytes): return TextOrder.order(text, bytes.span) != 0
    case .member(let members):
      var bytes: [UInt8] = []
      bytes.reserveCapacity(text.count)
      for place in text.indices { bytes.append(text[place]) }
      return members.contains(bytes)
    case .range(let low, let includesLow, let high, let includesHigh):
      if let low {
        let order = TextOrder.order(text, low.span)
        if order < 0 || (order == 0 && !includesLow) { return false }
      }
      if let high {
        let order = TextOrder.order(text, high.span)
        if order > 0 || (order == 0 && !includesHigh) { return false }
      }
      return true
    case .like(let pattern): return pattern.matches(text)
    }
  }
}

/// The order of texts by their UTF-8 bytes.
enum TextOrder {
  /// Negative, zero or positive. O(shorter text).
  static func order(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Int {
    let shared = min(left.count, right.count)
    var place = 0
    while place < shared {
      if left[place] != right[place] { return Int(left[place]) - Int(right[place]) }
      place += 1
    }
    return left.count - right.count
  }

  /// The first eight bytes as a number that never contradicts `order`: texts with different numbers are in
  /// the order of the numbers. Zero bytes stand for those that a short text lacks.
  static func prefix(_ text: Span<UInt8>) -> UInt64 { prefix(text, 0) }

  /// The same for eight bytes from `start` on.
  static func prefix(_ text: Span<UInt8>, _ start: Int) -> UInt64 {
    var code: UInt64 = 0
    for place in start..<start + 8 { code = code << 8 | (place < text.count ? UInt64(text[place]) : 0) }
    return code
  }

  /// The order of texts read from their last byte to their first.
  static func orderFromEnd(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Int {
    let shared = min(left.count, right.count)
    var place = 1
    while place <= shared {
      let (one, other) = (left[left.count - place], right[right.count - place])
      if one != other { return Int(one) - Int(other) }
      place += 1
    }
    return left.count - right.count
  }

  /// Eight bytes from the `start`th from the end on, as `prefix`, for `orderFromEnd`.
  static func suffix(_ text: Span<UInt8>, _ start: Int) -> UInt64 {
    var code: UInt64 = 0
    for place in start..<start + 8 {
      code = code << 8 | (place < text.count ? UInt64(text[text.count - 1 - place]) : 0)
    }
    return code
  }
}

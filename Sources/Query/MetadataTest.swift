// What a predicate on a metadata member comes down to.

/// A test of one member of the metadata.
///
/// `eq` and `neq` know JSON types: 5 equals 5.0 but not "5"; objects and arrays are equal when their bytes
/// are. `in` takes what is equal or has the same text; `like` and `ilike` look at the text (a string
/// unescaped, anything else as its JSON). `gt` to `between` compare numbers, and strings that are written
/// like JSON numbers; whatever else is there does not match. A missing member and JSON null are null: only
/// `isnull` sees them.
struct MetadataTest: Hashable, Sendable {
  enum Condition: Hashable, Sendable {
    case nothing
    case isNull
    case isNotNull
    case equal(Value)
    case notEqual(Value)
    case member([Value])
    case like(LikePattern)
    /// A missing bound is infinite.
    case range(low: NumberText?, includesLow: Bool, high: NumberText?, includesHigh: Bool)
    /// Comes after the text in the order of texts (nil: of null, which is greater than all), for cursors.
    case beyond([UInt8]?, ascending: Bool)
    /// Has that text, whatever its type.
    case sameText([UInt8])
    /// For texts that are no metadata.
    case text(TextTest, matchesNull: Bool)
  }

  /// A value to compare with, prepared.
  struct Value: Hashable, Sendable {
    let kind: MetadataMember.Kind
    /// The value as text.
    let text: [UInt8]
    /// For numbers.
    let number: NumberText?
  }

  let key: [UInt8]
  let condition: Condition

  init(key: String, _ op: FilterOperator, _ operand: Operand) {
    self.key = Array(key.utf8)
    condition = Self.condition(op, operand)
  }

  init(key: [UInt8], _ condition: Condition) {
    self.key = key
    self.condition = condition
  }

  /// - Parameter object: compact JSON, empty for `{}`.
  func matches(_ object: Span<UInt8>) -> Bool {
    guard let place = MetadataScanner.value(of: key, in: object) else { return condition.matchesNull }
    let member = MetadataMember(json: object.extracting(place))
    if member.kind == .null { return condition.matchesNull }
    return member.withText { condition.matches(member.kind, $0) }
  }

  private static func condition(_ op: FilterOperator, _ operand: Operand) -> Condition {
    switch op {
    case .isNull: return .isNull
    case .isNotNull: return .isNotNull
    case .equal: return value(operand).map { .equal($0) } ?? .nothing
    case .notEqual: return value(operand).map { .notEqual($0) } ?? .nothing
    case .isIn:
      guard case .list(let operands) = operand else { return .nothing }
      let values = operands.compactMap(value)
      return values.isEmpty ? .nothing : .member(values)
    case .like, .ilike:
      guard let text = text(operand) else { return .nothing }
      return .like(LikePattern(text, ignoresCase: op == .ilike))
    case .greater, .greaterOrEqual, .less, .lessOrEqual:
      guard let number = number(operand) else { return .nothing }
      return op == .greater || op == .greaterOrEqual
        ? .range(low: number, includesLow: op == .greaterOrEqual, high: nil, includesHigh: false)
        : .range(low: nil, includesLow: false, high: number, includesHigh: op == .lessOrEqual)
    case .between:
      guard case .list(let bounds) = operand, bounds.count == 2, let low = number(bounds[0]),
        let high = number(bounds[1])
      else { return .nothing }
      return .range(low: low, includesLow: true, high: high, includesHigh: true)
    }
  }

  /// The operand's value; nil for null, which equals nothing.
  private static func value(_ operand: Operand) -> Value? {
    guard case .metadata(let value) = operand else { return nil }
    switch value {
    case .text(let text): return Value(kind: .text, text: Array(text.utf8), number: nil)
    case .number(let text):
      let bytes = Array(text.utf8)
      return Value(kind: .number, text: bytes, number: NumberText(bytes.span))
    case .boolean(let flag):
      return Value(kind: .boolean, text: Array((flag ? "true" : "false").utf8), number: nil)
    case .other(let json): return Value(kind: .other, text: Array(json.utf8), number: nil)
    case .null: return nil
    }
  }

  private static func text(_ operand: Operand) -> String? {
    value(operand).map { String(decoding: $0.text, as: UTF8.self) }
  }

  private static func number(_ operand: Operand) -> NumberText? {
    guard let value = value(operand), value.kind == .number || value.kind == .text else { return nil }
    return NumberText(value.text.span)
  }
}

extension MetadataTest.Condition {
  /// Whether a missing member or JSON null passes.
  var matchesNull: Bool {
    switch self {
    case .isNull: true
    case .beyond(let key, let ascending): key != nil && ascending
    case .text(_, let matchesNull): matchesNull
    default: false
    }
  }

  /// Whether a value that is not null passes.
  /// - Parameter text: a string unescaped, anything else as its JSON.
  func matches(_ kind: MetadataMember.Kind, _ text: Span<UInt8>) -> Bool {
    switch self {
    case .nothing, .isNull: return false
    case .isNotNull: return true
    case .equal(let value): return Self.isEqual(kind, text, value)
    case .notEqual(let value): return !Self.isEqual(kind, text, value)
    case .member(let values):
      for value in values
      where Self.isEqual(kind, text, value) || TextOrder.order(text, value.text.span) == 0 {
        return true
      }
      return false
    case .like(let pattern): return pattern.matches(text)
    case .range(let low, let includesLow, let high, let includesHigh):
      guard kind == .number || kind == .text, let number = NumberText(text) else { return false }
      if let low {
        let order = NumberText.order(number, low)
        if order < 0 || (order == 0 && !includesLow) { return false }
      }
      if let high {
        let order = NumberText.order(number, high)
        if order > 0 || (order == 0 && !includesHigh) { return false }
      }
      return true
    case .beyond(let key, let ascending):
      // Null is greater than every text.
      guard let key else { return !ascending }
      let order = TextOrder.order(text, key.span)
      return ascending ? order > 0 : order < 0
    case .sameText(let key): return TextOrder.order(text, key.span) == 0
    case .text(let test, _): return test.matches(text)
    }
  }

  private static func isEqual(
    _ kind: MetadataMember.Kind, _ text: Span<UInt8>, _ value: MetadataTest.Value
  ) -> Bool {
    guard kind == value.kind else { return false }
    if let number = value.number { return NumberText(text) == number }
    return TextOrder.order(text, value.text.span) == 0
  }
}

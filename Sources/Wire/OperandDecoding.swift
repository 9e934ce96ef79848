// What a filter compares with: JSON values as operands that fit the field.

import Amounts
import Ledger
import Query

/// What an operand is compared with: a field of the rows, or a metric of groups.
struct ComparedValue {
  let name: String
  let type: FieldType

  init(_ field: QueryField) {
    name = field.name
    type = field.type
  }

  init(_ metric: Metric) {
    name = metric.name
    type = metric.type
  }
}

extension ParamsReader {
  /// The operand of one value; `.null` for null, nil and a fault for what the field cannot be compared with.
  mutating func operand(_ value: JSONValue, _ field: ComparedValue, _ op: FilterOperator) -> Operand? {
    if value.kind == .null { return .null }
    if value.endOffset - value.offset > WireLimit.operandBytes {
      faults.add(
        "the value for \(field.name) has more than \(WireLimit.operandBytes) bytes", at: value.offset)
      return nil
    }
    if let operand = Self.typedOperand(value, field.type, op) { return operand }
    faults.add("invalid value for \(field.name): \(Self.shown(value))", at: value.offset)
    return nil
  }

  private static func typedOperand(_ value: JSONValue, _ type: FieldType, _ op: FilterOperator) -> Operand? {
    switch type {
    case .amount, .integer: amount(value).map { .amount($0) }
    case .text, .identifier: value.kind == .string ? value.string().map { .text($0) } : nil
    case .time: time(value).map { .time($0) }
    case .boolean: boolean(value).map { .boolean($0) }
    case .decimal: decimal(value).map { .decimal($0) }
    case .metadata: metadata(value, op).map { .metadata($0) }
    }
  }

  private static func amount(_ value: JSONValue) -> Amount? {
    if value.kind == .string, !value.hasEscapes { return try? Amount(decimal: value.contents) }
    return value.isInteger ? try? Amount(decimal: value.rawText) : nil
  }

  private static func decimal(_ value: JSONValue) -> DecimalAmount? {
    if value.kind == .string, !value.hasEscapes { return try? DecimalAmount(text: value.contents) }
    return value.kind == .number ? try? DecimalAmount(text: value.rawText) : nil
  }

  /// A date alone is its whole UTC day.
  private static func time(_ value: JSONValue) -> TimeRange? {
    guard value.kind == .string, !value.hasEscapes, let time = JSONTime(parsing: value.contents) else {
      return nil
    }
    switch time.extent {
    case .day:
      return TimeRange(start: time.microseconds, end: time.microseconds + JSONTime.microsecondsPerDay)
    case .instant: return TimeRange(start: time.microseconds, end: time.microseconds + 1)
    }
  }

  private static func boolean(_ value: JSONValue) -> Bool? {
    switch value.kind {
    case .true: true
    case .false: false
    case .string: value.equals("true") ? true : value.equals("false") ? false : nil
    case .object, .array, .number, .null, .key: nil
    }
  }

  private static func metadata(_ value: JSONValue, _ op: FilterOperator) -> MetadataValue? {
    switch value.kind {
    case .string: value.string().map { .text($0) }
    case .number: op == .like || op == .ilike ? nil : .number(value.rawString())
    case .true: .boolean(true)
    case .false: .boolean(false)
    case .null: .null
    case .object, .array: .other(String(decoding: value.compacted(), as: UTF8.self))
    case .key: nil
    }
  }

  // MARK: Several values

  /// The operand of `in` or `between`: a JSON array of values.
  mutating func listOperand(_ list: JSONValue, _ field: ComparedValue, _ op: FilterOperator) -> Operand? {
    if list.kind == .null { return .null }
    guard list.kind == .array else {
      faults.add("values must be an array, found \(Self.shown(list))", at: list.offset)
      return nil
    }
    guard checkCount(list.count, field, op, at: list.offset) else { return nil }
    var operands: [Operand] = []
    operands.reserveCapacity(list.count)
    var elements = list.elements
    while let element = elements.next() {
      if let operand = operand(element, field, op) { operands.append(operand) }
    }
    return Self.combined(operands, op)
  }

  /// As `listOperand`, from one text: values between commas for `in`, two with a bar between for `between`.
  mutating func splitOperand(_ value: JSONValue, _ field: ComparedValue, _ op: FilterOperator) -> Operand? {
    let separator: Character = op == .between ? "|" : ","
    let pieces = (value.string() ?? "").split(separator: separator, omittingEmptySubsequences: false)
    guard checkCount(pieces.count, field, op, at: value.offset) else { return nil }
    var writer = JSONWriter(capacity: 256)
    writer.beginArray()
    for piece in pieces { writer.string(String(Self.trimmed(piece))) }
    writer.endArray()
    var document = JSONDocument(engine: .scanner)
    guard (try? document.parse(copying: writer.text())) != nil, let list = document.root else { return nil }
    var operands: [Operand] = []
    var elements = list.elements
    while let element = elements.next() {
      guard let operand = Self.typedOperand(element, field.type, op) else {
        faults.add("invalid value for \(field.name): \(Self.shown(element))", at: value.offset)
        continue
      }
      operands.append(operand)
    }
    return Self.combined(operands, op)
  }

  private static func trimmed(_ piece: Substring) -> Substring {
    var piece = piece
    while piece.utf8.first == UInt8(ascii: " ") { piece.removeFirst() }
    while piece.utf8.last == UInt8(ascii: " ") { piece.removeLast() }
    return piece
  }

  private mutating func checkCount(
    _ count: Int, _ field: ComparedValue, _ op: FilterOperator, at offset: Int
  ) -> Bool {
    if op == .between && count != 2 {
      faults.add("operator between for \(field.name) needs exactly two values, found \(count)", at: offset)
    } else if count == 0 {
      faults.add("operator in for \(field.name) needs at least one value", at: offset)
    } else if count > WireLimit.values {
      faults.add(
        "operator in for \(field.name) has \(count) values; at most \(WireLimit.values) are accepted",
        at: offset)
    } else {
      return true
    }
    return false
  }

  /// Nulls match nothing: they drop out of `in` and make `between` match nothing.
  private static func combined(_ operands: [Operand], _ op: FilterOperator) -> Operand {
    let known = operands.filter { $0 != .null }
    if known.isEmpty || op == .between && known.count != 2 { return .null }
    return .list(known)
  }
}

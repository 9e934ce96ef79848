// Values of params as the types of the books, each fault noted.

import Amounts
import Ledger
import Platform

/// Bounds of PROTOCOL section 2.
package enum WireLimit {
  package static let referenceBytes = 256
  package static let indicatorBytes = 256
  package static let nameBytes = 1024
  package static let descriptionBytes = 1024
  package static let currencyBytes = 32
  package static let metadataBytes = 64 << 10
  package static let filters = 100
  package static let values = 10_000
  package static let atomicTransactions = 10_000
  package static let keyBytes = 128
  package static let pageRows = 1000
  package static let defaultPageRows = 20
  package static let defaultChanges = 100
  package static let timeoutMilliseconds = 86_400_000
  /// Entries of `metrics`.
  package static let metrics = 64
  /// Groups that may be asked for by `limit`.
  package static let groups = 10_000
  /// Questions of one `balances.query`.
  package static let questions = 1000
  /// Rows that the questions of one `balances.query` may ask for together.
  package static let batchRows = 100_000
  /// Bytes of a text in a filter.
  package static let operandBytes = 64 << 10
}

/// Reads values and notes what is wrong with them. Each function gives nil for a fault and for null, which is
/// the same as an absent member; whoever needs the value then says that it is required.
struct ParamsReader {
  var faults = ParamsFaults()
  /// Memory for texts with escapes.
  private var scratch: [UInt8] = []

  init() {}

  /// What stands there, cut to a readable length.
  static func shown(_ value: JSONValue) -> String {
    let raw = value.rawText
    if raw.count <= ParamsFaults.shownCharacters { return value.rawString() }
    let text = ByteText.lossyString(raw.extracting(first: ParamsFaults.shownCharacters))
    return text + "…"
  }

  mutating func wrong(_ value: JSONValue, _ name: String, _ expected: String) {
    if faults.isFull { return faults.leaveOut() }
    faults.add("\(name) must be \(expected), found \(Self.shown(value))", at: value.offset)
  }

  // MARK: Texts

  /// A text of 1 to `limit` bytes, or of none when `allowsEmpty`.
  @inline(__always)
  mutating func text(
    _ value: JSONValue, _ name: StaticString, limit: Int, allowsEmpty: Bool = false, allowsNUL: Bool = false
  ) -> String? {
    if value.kind == .string, !value.hasEscapes {
      let contents = value.contents
      if contents.count <= limit, !contents.isEmpty { return ByteText.string(contents) }
    }
    return checkedText(value, name, limit: limit, allowsEmpty: allowsEmpty, allowsNUL: allowsNUL)
  }

  private mutating func checkedText(
    _ value: JSONValue, _ name: StaticString, limit: Int, allowsEmpty: Bool, allowsNUL: Bool
  ) -> String? {
    if value.kind == .null { return nil }
    guard value.kind == .string else {
      wrong(value, "\(name)", "a string")
      return nil
    }
    scratch.removeAll(keepingCapacity: true)
    value.appendString(to: &scratch)
    if scratch.isEmpty && !allowsEmpty {
      faults.add("\(name) is empty", at: value.offset)
    } else if scratch.count > limit {
      faults.add("\(name) has \(scratch.count) bytes; at most \(limit) are accepted", at: value.offset)
    } else if !allowsNUL && scratch.contains(0) {
      faults.add("\(name) holds a NUL byte", at: value.offset)
    } else {
      return String(decoding: scratch, as: UTF8.self)
    }
    return nil
  }

  /// A currency: 1 to 32 bytes, no blanks.
  @inline(__always)
  mutating func currency(_ value: JSONValue, _ name: StaticString = "currency") -> String? {
    if value.kind == .string, !value.hasEscapes {
      let contents = value.contents
      if !contents.isEmpty, contents.count <= WireLimit.currencyBytes, Self.isPlain(contents) {
        return ByteText.string(contents)
      }
    }
    return checkedCurrency(value, name)
  }

  /// Whether all bytes are visible ASCII.
  @inline(__always)
  private static func isPlain(_ bytes: Span<UInt8>) -> Bool {
    for place in bytes.indices where bytes[place] &- 0x21 > 0x7e - 0x21 { return false }
    return true
  }

  private mutating func checkedCurrency(_ value: JSONValue, _ name: StaticString) -> String? {
    guard let currency = text(value, name, limit: WireLimit.currencyBytes) else { return nil }
    if Self.holdsBlank(currency) {
      faults.add("\(name) must be without blanks, found \(Self.shown(value))", at: value.offset)
      return nil
    }
    return currency
  }

  /// An indicator: `@` and at least one character more, no blanks.
  mutating func indicator(_ value: JSONValue, _ name: StaticString) -> String? {
    guard let indicator = text(value, name, limit: WireLimit.indicatorBytes) else { return nil }
    if indicator.utf8.first != UInt8(ascii: "@") || indicator.utf8.count < 2 || Self.holdsBlank(indicator) {
      wrong(value, "\(name)", "@ and a name without blanks")
      return nil
    }
    return indicator
  }

  /// Blanks and control characters of ASCII, and Unicode's white space.
  static func holdsBlank(_ text: String) -> Bool {
    var isASCII = true
    for byte in text.utf8 {
      if byte <= 0x20 || byte == 0x7f { return true }
      if byte >= 0x80 { isASCII = false }
    }
    return !isASCII && text.unicodeScalars.contains { $0.properties.isWhitespace }
  }

  /// An identifier of `kind`.
  @inline(__always)
  mutating func identifier(_ value: JSONValue, _ name: StaticString, _ kind: EntityKind) -> Identifier? {
    if value.kind == .string, !value.hasEscapes,
      let identifier = ByteText.identifier(value.contents, kind: kind)
    {
      return identifier
    }
    return checkedIdentifier(value, name, kind)
  }

  private mutating func checkedIdentifier(
    _ value: JSONValue, _ name: StaticString, _ kind: EntityKind
  ) -> Identifier? {
    if value.kind == .null { return nil }
    if let text = value.string(), let identifier = Identifier(text, kind: kind) { return identifier }
    let form = "\(kind.prefix) and a UUID or 1 to \(Identifier.suffixLimit) of A-Z a-z 0-9 _ -"
    wrong(value, "\(name)", value.kind == .string ? form : "a string")
    return nil
  }

  /// `@name` or the identifier of a balance.
  @inline(__always)
  mutating func party(_ value: JSONValue, _ name: StaticString) -> Party? {
    if value.kind == .string, !value.contents.isEmpty,
      value.contents[0] == UInt8(ascii: "@") || value.hasEscapes
    {
      if let text = value.string(), text.utf8.first == UInt8(ascii: "@") {
        return indicator(value, name).map { .indicator($0) }
      }
    }
    return identifier(value, name, .balance).map { .balance($0) }
  }

  // MARK: Numbers, times, flags

  mutating func boolean(_ value: JSONValue, _ name: StaticString) -> Bool? {
    switch value.kind {
    case .true: return true
    case .false: return false
    case .null: return nil
    case .object, .array, .string, .number, .key:
      wrong(value, "\(name)", "true or false")
      return nil
    }
  }

  /// A JSON integer within `range`.
  mutating func integer(_ value: JSONValue, _ name: StaticString, _ range: ClosedRange<Int64>) -> Int64? {
    if value.kind == .null { return nil }
    if let integer = value.int64(), range.contains(integer) { return integer }
    let bounds =
      range.upperBound == .max ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
    wrong(value, "\(name)", "an integer of \(bounds)")
    return nil
  }

  /// An integer of any size as a string or a JSON integer, more than zero.
  @inline(__always)
  mutating func positiveAmount(_ value: JSONValue, _ name: StaticString) -> Amount? {
    guard let amount = amount(value, name) else { return nil }
    if amount.signum > 0 { return amount }
    wrong(value, "\(name)", "more than 0")
    return nil
  }

  @inline(__always)
  private mutating func amount(_ value: JSONValue, _ name: StaticString) -> Amount? {
    do throws(AmountError) {
      if value.kind == .string, !value.hasEscapes { return try Amount(decimal: value.contents) }
      if value.isInteger { return try Amount(decimal: value.rawText) }
    } catch {
      addAmountFault(error, value, name, "an integer of minor units")
      return nil
    }
    if value.kind != .null {
      wrong(value, "\(name)", "an integer of minor units, as a string or a JSON integer")
    }
    return nil
  }

  /// A decimal number as a string or a JSON number, read from its text.
  @inline(__always)
  mutating func decimal(_ value: JSONValue, _ name: StaticString) -> DecimalAmount? {
    do throws(AmountError) {
      if value.kind == .string, !value.hasEscapes { return try DecimalAmount(text: value.contents) }
      if value.kind == .number { return try DecimalAmount(text: value.rawText) }
    } catch {
      addAmountFault(error, value, name, "a decimal number such as 12.50, without exponent")
      return nil
    }
    if value.kind != .null { wrong(value, "\(name)", "a decimal number, as a string or a JSON number") }
    return nil
  }

  private mutating func addAmountFault(
    _ error: AmountError, _ value: JSONValue, _ name: StaticString, _ expected: String
  ) {
    switch error {
    case .tooManyDigits(let found, let allowed):
      faults.add("\(name) has \(found) digits; at most \(allowed) are accepted", at: value.offset)
    case .empty, .notAnInteger, .notADecimal, .truncated, .notCanonical:
      wrong(value, "\(name)", expected)
    }
  }

  /// A time; a date alone is the beginning of its day in UTC.
  mutating func time(_ value: JSONValue, _ name: StaticString) -> Microseconds? {
    if value.kind == .null { return nil }
    if value.kind == .string, !value.hasEscapes, let time = JSONTime(parsing: value.contents) {
      return Microseconds(time.microseconds)
    }
    wrong(value, "\(name)", "a time such as 2024-01-15T10:30:00Z or a date such as 2024-01-15")
    return nil
  }

  // MARK: Metadata and what comes later

  /// A JSON object of at most 64 KiB as it is kept: without blanks, nothing for `{}`.
  mutating func metadata(_ value: JSONValue, _ name: StaticString = "meta_data") -> [UInt8]? {
    if value.kind == .null { return nil }
    guard value.kind == .object else {
      wrong(value, "\(name)", "an object")
      return nil
    }
    if value.count == 0 { return [] }
    let kept = value.compacted()
    if kept.count > WireLimit.metadataBytes {
      faults.add(
        "\(name) has \(kept.count) bytes; at most \(WireLimit.metadataBytes) are accepted", at: value.offset)
      return nil
    }
    return kept
  }

  /// A member of a later version: only what means "not wanted" is accepted.
  mutating func unsupported(_ value: JSONValue, _ name: String) {
    if value.kind == .false || value.kind == .null { return }
    faults.add("\(name) is not supported by this version", at: value.offset)
  }

  /// A member that the method does not have. `_meta` belongs to the envelope.
  mutating func unknown<Name: NameSet>(_ key: JSONValue, _ names: Name.Type) {
    unknown(key, allowed: Name.allCases.map(\.rawValue))
  }

  mutating func unknown(_ key: JSONValue, allowed: [String]) {
    if key.equals("_meta") { return }
    if faults.isFull { return faults.leaveOut() }
    let name = key.string() ?? ""
    let nearest = UnknownName.nearest(to: name, among: allowed)
    let shown =
      name.utf8.count <= ParamsFaults.shownCharacters ? name : name.prefix(ParamsFaults.shownCharacters) + "…"
    faults.add(
      "unknown member \(shown)" + UnknownName.hint(nearest), at: key.offset, allowed: allowed,
      didYouMean: nearest)
  }
}

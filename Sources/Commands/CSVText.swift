// Comma-separated values by RFC 4180: records out of a stream of bytes, and records into text.

/// What is wrong with a CSV text, and at which line (from 1) the record began.
package enum CSVError: Error, Equatable {
  case quoteInsideField(line: Int)
  case textAfterQuote(line: Int)
  case unfinishedQuote(line: Int)
  case recordTooLong(line: Int, limit: Int)
  case notUTF8(line: Int)

  package var line: Int {
    switch self {
    case .quoteInsideField(let line), .textAfterQuote(let line), .unfinishedQuote(let line),
      .notUTF8(let line),
      .recordTooLong(let line, _):
      line
    }
  }

  package var text: String {
    switch self {
    case .quoteInsideField: "a quote stands inside a field that does not begin with one"
    case .textAfterQuote: "after a closing quote there must be a comma or the end of the line"
    case .unfinishedQuote: "the file ends inside quotes"
    case .recordTooLong(_, let limit): "the record is longer than \(limit) bytes"
    case .notUTF8: "the record is not valid UTF-8"
    }
  }
}

/// One record: its fields, and the line where it begins. A field that was empty without quotes is nil.
package struct CSVRecord: Equatable, Sendable {
  package let line: Int
  package let fields: [String?]
}

/// Cuts bytes that arrive in pieces of any size into records. Lines end with `\n` or `\r\n`; blank lines are
/// skipped; a byte order mark at the very start is ignored.
package struct CSVReader: Sendable {
  package static let recordLimit = 16 << 20

  private enum State { case fieldStart, plain, quoted, quoteSeen, returnSeen }

  private var state = State.fieldStart
  private var field: [UInt8] = []
  private var wasQuoted = false
  private var fields: [String?] = []
  private var recordBytes = 0
  private var line = 1
  private var recordLine = 1
  private var startBytes: [UInt8] = []
  private var isAtStart = true

  package init() {}

  /// Takes the next `bytes` and gives the records they complete to `emit`. O(bytes).
  package mutating func feed(
    _ bytes: some Sequence<UInt8>, emit: (CSVRecord) throws -> Void
  ) throws {
    for byte in bytes {
      if isAtStart {
        startBytes.append(byte)
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        if startBytes == mark {
          isAtStart = false
          continue
        }
        if mark.starts(with: startBytes) { continue }
        isAtStart = false
        for early in startBytes { try take(early, emit) }
        continue
      }
      try take(byte, emit)
    }
  }

  /// The end of the input: a last record without a line end counts too.
  package mutating func finish(emit: (CSVRecord) throws -> Void) throws {
    if isAtStart {
      isAtStart = false
      for early in startBytes { try take(early, emit) }
    }
    if state == .quoted { throw CSVError.unfinishedQuote(line: recordLine) }
    if state == .returnSeen || recordBytes > 0 { try endRecord(emit) }
  }

  private mutating func take(_ byte: UInt8, _ emit: (CSVRecord) throws -> Void) throws {
    if state == .returnSeen {
      if byte == UInt8(ascii: "\n") {
        try endRecord(emit)
        line += 1
        recordLine = line
        return
      }
      field.append(UInt8(ascii: "\r"))
      state = .plain
    }
    recordBytes += 1
    guard recordBytes <= Self.recordLimit else {
      throw CSVError.recordTooLong(line: recordLine, limit: Self.recordLimit)
    }
    switch (state, byte) {
    case (.quoted, UInt8(ascii: "\"")): state = .quoteSeen
    case (.quoted, _):
      if byte == UInt8(ascii: "\n") { line += 1 }
      field.append(byte)
    case (.quoteSeen, UInt8(ascii: "\"")):
      field.append(byte)
      state = .quoted
    case (_, UInt8(ascii: ",")):
      try endField()
    case (_, UInt8(ascii: "\n")):
      recordBytes -= 1
      try endRecord(emit)
      line += 1
      recordLine = line
    case (_, UInt8(ascii: "\r")):
      recordBytes -= 1
      state = .returnSeen
    case (.quoteSeen, _): throw CSVError.textAfterQuote(line: recordLine)
    case (.fieldStart, UInt8(ascii: "\"")):
      wasQuoted = true
      state = .quoted
    case (_, UInt8(ascii: "\"")): throw CSVError.quoteInsideField(line: recordLine)
    default:
      field.append(byte)
      state = .plain
    }
  }

  private mutating func endField() throws {
    guard let text = String(validating: field, as: UTF8.self) else {
      throw CSVError.notUTF8(line: recordLine)
    }
    fields.append(text.isEmpty && !wasQuoted ? nil : text)
    field.removeAll(keepingCapacity: true)
    wasQuoted = false
    state = .fieldStart
  }

  private mutating func endRecord(_ emit: (CSVRecord) throws -> Void) throws {
    defer {
      recordBytes = 0
      state = .fieldStart
    }
    if recordBytes == 0 { return }
    try endField()
    let record = CSVRecord(line: recordLine, fields: fields)
    fields.removeAll(keepingCapacity: true)
    try emit(record)
  }
}

package enum CSVWriter {
  /// One record with its line end. A nil is an empty field, an empty text is `""`: reading gives both back.
  package static func record(_ fields: [String?]) -> String {
    // A record of one nil would be a blank line, which readers skip.
    if fields.count == 1, fields[0] == nil { return "\"\"\n" }
    return fields.map(field).joined(separator: ",") + "\n"
  }

  private static func field(_ text: String?) -> String {
    guard let text else { return "" }
    let needsQuotes =
      text.isEmpty
      || text.utf8.contains {
        $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\n")
          || $0 == UInt8(ascii: "\r")
      }
    guard needsQuotes else { return text }
    var quoted = "\""
    for scalar in text.unicodeScalars {
      if scalar == "\"" { quoted += "\"" }
      quoted.unicodeScalars.append(scalar)
    }
    return quoted + "\""
  }
}

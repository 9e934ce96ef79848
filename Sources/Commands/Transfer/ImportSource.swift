// Records of a file, one after the other, in bounded memory: NDJSON or CSV.

import LedgerlineClient
import Platform

/// One record of a file.
struct ImportRecord {
  /// The line where it begins, from 1.
  let line: Int
  let content: Result<[JSONNode.Member], CommandFailure>
}

struct ImportSource: ~Copyable {
  enum Format: String, CaseIterable { case ndjson, csv }

  private let file: OpenFile
  private let format: Format
  private var lines: LineReader
  private var reader = JSONNodeReader()
  private var csv = CSVReader()
  private var columns: [String]?
  private var waiting: [ImportRecord] = []
  private var nextWaiting = 0
  private var lineNumber = 0
  private var hasEnded = false
  /// Bytes read so far.
  private(set) var readBytes = 0
  let byteCount: Int

  init(path: String, format: Format) throws {
    let opened = try OpenFile(path, .read)
    let size = try opened.size()
    self.format = format
    byteCount = size
    lines = LineReader(descriptor: opened.descriptor)
    file = opened
  }

  /// The format that a file's name tells.
  static func format(of path: String) -> Format? {
    let name = path.lowercased()
    if name.hasSuffix(".csv") { return .csv }
    return name.hasSuffix(".ndjson") || name.hasSuffix(".jsonl") ? .ndjson : nil
  }

  /// The next record; nil at the end.
  mutating func next() throws -> ImportRecord? {
    switch format {
    case .ndjson: try nextLine()
    case .csv: try nextRecord()
    }
  }

  private mutating func nextLine() throws -> ImportRecord? {
    while true {
      lineNumber += 1
      switch try lines.next() {
      case .end: return nil
      case .tooLong:
        return ImportRecord(line: lineNumber, content: .failure(.init(.ownError, "longer than 16 MiB")))
      case .line(let bytes):
        readBytes += bytes.count + 1
        if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }) { continue }
        return ImportRecord(line: lineNumber, content: parse(bytes))
      }
    }
  }

  private mutating func parse(_ bytes: [UInt8]) -> Result<[JSONNode.Member], CommandFailure> {
    do {
      guard let members = try reader.parse(bytes).members else {
        return .failure(.init(.ownError, "not a JSON object"))
      }
      return .success(members)
    } catch { return .failure(.init(.ownError, "\(error)")) }
  }

  private mutating func nextRecord() throws -> ImportRecord? {
    while nextWaiting == waiting.count {
      guard !hasEnded else { return nil }
      waiting.removeAll(keepingCapacity: true)
      nextWaiting = 0
      var records: [CSVRecord] = []
      do {
        switch try lines.next() {
        case .end:
          hasEnded = true
          try csv.finish { records.append($0) }
        case .tooLong: throw CommandFailure(.ownError, "a line is longer than 16 MiB")
        case .line(let bytes):
          readBytes += bytes.count + 1
          try csv.feed(bytes) { records.append($0) }
          try csv.feed([UInt8(ascii: "\n")]) { records.append($0) }
        }
      } catch let error as CSVError {
        throw CommandFailure(.ownError, "line \(error.line): \(error.text)")
      }
      for record in records { take(record) }
    }
    defer { nextWaiting += 1 }
    return waiting[nextWaiting]
  }

  private mutating func take(_ record: CSVRecord) {
    guard let columns else {
      self.columns = record.fields.map { $0 ?? "" }
      return
    }
    guard record.fields.count == columns.count else {
      let text = "\(counted(record.fields.count, "field")); the header has \(columns.count)"
      waiting.append(ImportRecord(line: record.line, content: .failure(.init(.ownError, text))))
      return
    }
    do {
      var members: [JSONNode.Member] = []
      for (name, field) in zip(columns, record.fields) {
        guard let field else { continue }
        members.append(.init(name, try Self.value(field, name)))
      }
      waiting.append(ImportRecord(line: record.line, content: .success(members)))
    } catch {
      waiting.append(ImportRecord(line: record.line, content: .failure(CommandFailure(error))))
    }
  }

  private static func value(_ field: String, _ name: String) throws -> JSONNode {
    switch BookEntity.columnType(name) {
    case .text: return .string(field)
    case .integer:
      guard Int(field) != nil else {
        throw CommandFailure(.ownError, "\(name): \"\(field)\" is not a whole number")
      }
      return .number(field)
    case .boolean:
      guard field == "true" || field == "false" else {
        throw CommandFailure(.ownError, "\(name): \"\(field)\" is neither true nor false")
      }
      return .bool(field == "true")
    case .json:
      do { return try JSONNode.parse(field) } catch { throw CommandFailure(.ownError, "\(name): \(error)") }
    }
  }
}

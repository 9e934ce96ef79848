// Rows as lines of a file: NDJSON or comma-separated values.

import Columns
import Ledger
import Query

/// Writes rows of one view as lines.
package struct RowLines: ~Copyable {
  private let format: RowFormat
  private let table: QueryTable
  private let names: [String]
  private var renderer: RowRenderer
  private var records = CSVRecords()
  /// A row's object on its way into a record.
  private var object = JSONWriter(capacity: 1024)

  package init(_ format: RowFormat, of table: QueryTable, _ reply: QueryReply, cut: Cut) {
    self.format = format
    self.table = table
    renderer = RowRenderer(.cut(cut), fields: reply.fields)
    names = EntityMembers.names(of: table).enumerated().filter { reply.fields?.contains($0.offset) ?? true }
      .map(\.element)
  }

  /// Appends the groups of an aggregate, each a line.
  /// - Returns: how many there were.
  package static func groups(
    _ found: MomentAnswers, of request: AggregateRequest, _ format: RowFormat, books: Books,
    into writer: inout JSONWriter
  ) -> Int {
    guard case .groups(let result) = found.answers.first else { preconditionFailure("groups were asked for") }
    var array = JSONWriter()
    AnswerWriter.append(result, of: request, books, into: &array)
    var records = CSVRecords()
    if format == .csv {
      records.header(request.groupBy.map(\.name) + request.metrics.map(\.name), into: &writer)
    }
    array.withSpan { array in
      var at = 1
      while at < array.count, array[at] != UInt8(ascii: "]") {
        if array[at] == UInt8(ascii: ",") { at += 1 }
        let end = CSVRecords.endOfNested(array, at)
        switch format {
        case .csv: records.record(array.extracting(at..<end), into: &writer)
        case .ndjson:
          writer.raw(array.extracting(at..<end))
          writer.endLine()
        }
        at = end
      }
    }
    return result.count
  }

  /// Appends what stands before the first row.
  package mutating func begin(into writer: inout JSONWriter) {
    if format == .csv { records.header(names, into: &writer) }
  }

  /// Appends the line of a row; false, and nothing appended, when the row was deleted.
  package mutating func append(_ row: RowIndex, into writer: inout JSONWriter) -> Bool {
    switch format {
    case .ndjson:
      guard renderer.append(row, of: table, into: &writer) else { return false }
      writer.endLine()
    case .csv:
      guard renderer.append(row, of: table, into: &object) else { return false }
      object.withSpan { records.record($0, into: &writer) }
      object.rewind(to: 0)
    }
    return true
  }
}

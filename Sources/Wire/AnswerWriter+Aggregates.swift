// Answers to aggregates: an object for each group, its columns first, then its metrics.

import Amounts
import Columns
import Ledger
import Query

extension AnswerWriter {
  /// Writes the answer to an aggregate. O(groups).
  package static func groups(
    _ found: MomentAnswers, of request: AggregateRequest, _ id: RequestID, books: Books,
    position: UInt64? = nil, into writer: inout JSONWriter
  ) {
    guard case .groups(let result) = found.answers.first else { preconditionFailure("groups were asked for") }
    beginResult(id, into: &writer)
    append(result, of: request, books, into: &writer)
    endResult(position: position, into: &writer)
  }

  /// Appends the groups as an array. Codes never change their meaning, so no cut is needed.
  static func append(
    _ result: AggregateResult, of request: AggregateRequest, _ books: Books, into writer: inout JSONWriter
  ) {
    let keys = request.groupBy.map { key($0.name) } + request.metrics.map { key($0.name) }
    let (columns, metrics) = (request.groupBy.count, request.metrics.count)
    // Where each column's last value stands: neighbours often have the same one.
    var last = [(code: UInt32, start: Int, end: Int)?](repeating: nil, count: columns)
    writer.beginArray()
    for group in 0..<result.count {
      writer.beginObject()
      for index in 0..<columns {
        let key = keys[index]
        writer.value(key.span)
        let code = result.codes[group * columns + index]
        if let known = last[index], known.code == code {
          writer.repeat(known.start..<known.end)
          continue
        }
        let start = writer.count
        append(code, of: request.groupBy[index], books, into: &writer)
        last[index] = (code, start, writer.count)
      }
      for index in 0..<metrics {
        let key = keys[columns + index]
        writer.value(key.span)
        append(result.values[group * metrics + index], into: &writer)
      }
      writer.endObject()
    }
    writer.endArray()
  }

  /// A key and its colon as they stand in the object: no name has anything to escape.
  private static func key(_ name: String) -> [UInt8] { Array("\"\(name)\":".utf8) }

  private static func append(
    _ code: UInt32, of column: GroupColumn, _ books: Books, into writer: inout JSONWriter
  ) {
    switch column.source {
    case .ledger: writer.identifier(RowIndex(code), of: books.ledgers.identifiers)
    case .currency: writer.text(code, of: books.currencies)
    case .indicator: writer.text(code, of: books.indicators)
    case .identity:
      if code == 0 { return writer.null() }
      writer.identifier(RowIndex(code - 1), of: books.identities.identifiers)
    case .source, .destination: writer.identifier(RowIndex(code), of: books.balances.identifiers)
    case .lineageFlag: writer.bool(code != 0)
    case .strategy: writer.plainString(AllocationStrategy(rawValue: UInt8(code))?.name ?? "")
    case .status: writer.plainString(TransactionStatus(rawValue: UInt8(code))?.name ?? "")
    case .created(let unit): writer.string(calendarText(code, unit))
    }
  }

  /// `2024-01-15`, `2024-01` or `2024`.
  static func calendarText(_ code: UInt32, _ unit: CalendarUnit) -> String {
    let date = CalendarCodes.date(of: code, unit)
    func digits(_ value: Int, _ count: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }
    switch unit {
    case .day: return "\(digits(date.year, 4))-\(digits(date.month, 2))-\(digits(date.day, 2))"
    case .month: return "\(digits(date.year, 4))-\(digits(date.month, 2))"
    case .year: return digits(date.year, 4)
    }
  }

  private static func append(_ value: MetricValue, into writer: inout JSONWriter) {
    switch value {
    case .count(let count): writer.integer(count)
    case .amount(let amount): writer.amount(amount)
    case .average(let sum, let count):
      writer.string(
        DecimalAmount.decimalText(
          of: MetricValue.roundedAverage(sum, count), precision: .power(of10: MetricValue.averageDigits)))
    case .time(let time): writer.time(microseconds: time)
    case .null: writer.null()
    }
  }
}

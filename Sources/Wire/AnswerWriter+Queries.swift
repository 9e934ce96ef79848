// Answers to queries: a page of rows in one line, or a stream of notifications before the answer.

import Columns
import Ledger
import Query

extension AnswerWriter {
  /// Bytes of one stream notification, at most (more only for a single row that is longer).
  package static let streamLineLimit = 48 << 10

  /// Writes the answer to a query: its rows as the cut sees them. O(rows of the page).
  /// - Parameter position: for requests that ask for it by `meta`.
  package static func page(
    _ result: QueryResult, of table: QueryTable, _ reply: QueryReply, _ id: RequestID, cut: Cut,
    position: UInt64? = nil, into writer: inout JSONWriter
  ) {
    beginResult(id, into: &writer)
    append(result, of: table, reply, cut, into: &writer)
    endResult(position: position, into: &writer)
  }

  /// Appends a page in the shape that its request asks for.
  static func append(
    _ result: QueryResult, of table: QueryTable, _ reply: QueryReply, _ cut: Cut,
    into writer: inout JSONWriter
  ) {
    switch reply.shape {
    case .array: rows(result.rows, of: table, reply, cut, into: &writer)
    case .object:
      writer.beginObject()
      writer.key("data")
      rows(result.rows, of: table, reply, cut, into: &writer)
      tail(result, reply.shape, into: &writer)
      writer.endObject()
    }
  }

  /// Writes the answer to a query whose rows were copied when they were found. O(rows of the page).
  /// - Parameter position: for requests that ask for it by `meta`.
  package static func page(
    _ result: QueryResult, _ images: PageImages, _ reply: QueryReply, _ id: RequestID, books: Books,
    position: UInt64? = nil, into writer: inout JSONWriter
  ) {
    beginResult(id, into: &writer)
    append(result, images, reply, books, into: &writer)
    endResult(position: position, into: &writer)
  }

  /// The same in the shape that its request asks for, without the frame.
  static func append(
    _ result: QueryResult, _ images: PageImages, _ reply: QueryReply, _ books: Books,
    into writer: inout JSONWriter
  ) {
    switch reply.shape {
    case .array: rows(images, reply, books, into: &writer)
    case .object:
      writer.beginObject()
      writer.key("data")
      rows(images, reply, books, into: &writer)
      tail(result, reply.shape, into: &writer)
      writer.endObject()
    }
  }

  private static func rows(
    _ images: PageImages, _ reply: QueryReply, _ books: Books, into writer: inout JSONWriter
  ) {
    var renderer = RowRenderer(.current(books), fields: reply.fields)
    writer.beginArray()
    for place in images.rows.indices { renderer.append(place, of: images, into: &writer) }
    writer.endArray()
  }

  private static func rows(
    _ rows: [RowIndex], of table: QueryTable, _ reply: QueryReply, _ cut: Cut, into writer: inout JSONWriter
  ) {
    var renderer = RowRenderer(.cut(cut), fields: reply.fields)
    writer.beginArray()
    for row in rows { _ = renderer.append(row, of: table, into: &writer) }
    writer.endArray()
  }

  /// Appends what stands beside the rows.
  private static func tail(
    _ result: QueryResult, _ shape: QueryReply.Shape, into writer: inout JSONWriter
  ) {
    guard case .object(let count, let cursor) = shape else { return }
    if count {
      writer.key("total_count")
      writer.integer(result.totalCount ?? 0)
    }
    if cursor {
      writer.key("next_cursor")
      writer.string(result.nextCursor?.text)
    }
  }

  // MARK: Streams

  /// Writes one notification with as many of `rows` as fit `streamLineLimit`, and at least one.
  /// - Parameters:
  ///   - rows: what is left of the result, not empty.
  ///   - sequence: counts the notifications of this answer from 0.
  /// - Returns: how many rows were written.
  package static func streamLine(
    _ rows: ArraySlice<RowIndex>, of table: QueryTable, _ reply: QueryReply, _ id: RequestID, sequence: Int,
    cut: Cut, into writer: inout JSONWriter
  ) -> Int {
    precondition(!rows.isEmpty, "a notification has rows")
    var renderer = RowRenderer(.cut(cut), fields: reply.fields)
    let start = writer.count
    writer.raw(#"{"jsonrpc":"2.0","method":"stream","params":{"id":"#)
    writer.value(id.json.utf8.span)
    writer.key("seq")
    writer.integer(sequence)
    writer.key("rows")
    writer.beginArray()
    let ending: StaticString = "]}}\n"
    var written = 0
    for row in rows {
      let mark = writer.count
      _ = renderer.append(row, of: table, into: &writer)
      if written > 0, writer.count - start + ending.utf8CodeUnitCount > streamLineLimit {
        writer.rewind(to: mark)
        break
      }
      written += 1
    }
    writer.raw(ending)
    return written
  }

  /// Writes the answer that ends a stream.
  /// - Parameter tail: what stands beside the rows; its own rows are not looked at.
  package static func streamEnd(
    _ rowCount: Int, _ tail: QueryTail, _ reply: QueryReply, _ id: RequestID, position: UInt64? = nil,
    into writer: inout JSONWriter
  ) {
    beginResult(id, into: &writer)
    writer.beginObject()
    writer.key("count")
    writer.integer(rowCount)
    append(tail, reply.shape, into: &writer)
    writer.endObject()
    endResult(position: position, into: &writer)
  }

  /// Writes the answer to a request whose rows went into a descriptor.
  package static func delivered(
    _ rowCount: Int, byteCount: Int, _ tail: QueryTail, _ reply: QueryReply, _ id: RequestID,
    position: UInt64? = nil, into writer: inout JSONWriter
  ) {
    beginResult(id, into: &writer)
    writer.beginObject()
    writer.key("count")
    writer.integer(rowCount)
    writer.key("bytes")
    writer.integer(byteCount)
    append(tail, reply.shape, into: &writer)
    writer.endObject()
    endResult(position: position, into: &writer)
  }

  private static func append(_ tail: QueryTail, _ shape: QueryReply.Shape, into writer: inout JSONWriter) {
    guard case .object(let count, let cursor) = shape else { return }
    if count {
      writer.key("total_count")
      writer.integer(tail.totalCount ?? 0)
    }
    if cursor {
      writer.key("next_cursor")
      writer.string(tail.nextCursor?.text)
    }
  }
}

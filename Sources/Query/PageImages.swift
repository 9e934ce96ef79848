// What the rows of a page show, copied while writers are kept out and rendered afterwards.

import Columns
import Ledger

/// The changing parts of some rows as they stood at one moment. What never changes is read from the tables
/// when it is shown.
package struct PageImages: Sendable {
  package let table: QueryTable
  package let rows: [RowIndex]
  /// For balances, one a row; their metadata stands in `bytes`.
  package private(set) var figures: [BalanceFigures] = []
  /// Balances whose figures are too wide.
  private var wide: [BalanceImage] = []
  /// By place: which of them it is, -1 for none; empty when there is none at all.
  private var widePlaces: [Int16] = []
  /// Metadata of balances and transactions, records of ledgers and identities, one after another.
  private var bytes: [UInt8] = []
  /// Where each row's bytes end.
  private var ends: [Int] = []

  /// Bytes that may be copied while writers wait.
  package static let byteLimit = 64 << 10
  /// Rows that may be copied while writers wait.
  package static let rowLimit = 256

  /// Copies what the rows show on a cut; nil when that is more than `byteLimit` or `rowLimit`.
  init?(_ rows: [RowIndex], _ reader: RowReader) {
    if rows.count > Self.rowLimit { return nil }
    table = reader.table
    self.rows = rows
    ends.reserveCapacity(rows.count)
    let books = reader.books
    switch table {
    case .balances:
      // All rows' memory is asked for before the first is read.
      for row in rows { books.balances.prefetchImage(row, cut: reader.cut.epoch) }
      figures.reserveCapacity(rows.count)
      var handles: [RecordHandle] = []
      handles.reserveCapacity(rows.count)
      for (place, row) in rows.enumerated() {
        let (figures, metadata) = books.balances.figures(row, cut: reader.cut.epoch)
        self.figures.append(figures)
        if figures.isWide {
          if widePlaces.isEmpty { widePlaces = Array(repeating: -1, count: rows.count) }
          widePlaces[place] = Int16(wide.count)
          var image = books.balances.image(row, cut: reader.cut.epoch)
          image.metadata = []
          wide.append(image)
        }
        handles.append(metadata)
        if metadata != 0 { books.records.prefetchAddress(metadata) }
      }
      for handle in handles where handle != 0 { books.records.prefetchBytes(handle) }
      for handle in handles where !append(handle, books.records) { return nil }
    case .transactions:
      for row in rows {
        let block = books.transactions.cells.block(Layout.chunk(of: row), cut: reader.cut.epoch)
        let metadata = block.map { CellBlock($0)[lane: 0, slot: Layout.slot(of: row)] } ?? 0
        if !append(metadata, books.records) { return nil }
      }
    case .ledgers, .identities:
      for row in rows {
        if let record = unsafe reader.entities.record(row, cut: reader.cut.epoch) {
          unsafe bytes.append(contentsOf: record)
        }
        ends.append(bytes.count)
        if bytes.count > Self.byteLimit { return nil }
      }
    }
  }

  private mutating func append(_ metadata: RecordHandle, _ records: RecordStore) -> Bool {
    if metadata != 0 {
      let record = unsafe records.bytes(metadata)
      if bytes.count + record.count > Self.byteLimit { return false }
      unsafe bytes.append(contentsOf: record)
    }
    ends.append(bytes.count)
    return true
  }

  /// The changing part of the balance at a place, without its metadata.
  package func balance(_ place: Int) -> BalanceImage {
    if !widePlaces.isEmpty, widePlaces[place] >= 0 { return wide[Int(widePlaces[place])] }
    return figures[place].image(of: rows[place])
  }

  /// Calls `body` with the bytes of the row at a place of the page: its metadata, a compact JSON object or
  /// nothing for `{}`; or its record.
  package func withBytes<Result>(_ place: Int, _ body: (Span<UInt8>) -> Result) -> Result {
    let start = place == 0 ? 0 : ends[place - 1]
    return body(bytes.span.extracting(start..<ends[place]))
  }
}

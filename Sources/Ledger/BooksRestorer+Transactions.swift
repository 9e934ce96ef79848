// Transactions of a snapshot back into books, by column.

import Amounts
import Columns
import Platform

extension BooksRestorer {
  /// The next transactions, without the indexes of identifiers and references.
  package mutating func appendTransactions(_ columns: RestoredTransactions) throws(RestoreFault) {
    let table = books.transactions
    let counts = unsafe books.writer.pointee.counts
    let first = counts.transactions
    try check(columns, counts)
    let row = RowIndex(first)
    unsafe table.sources.append(contentsOf: columns.sources, at: row)
    unsafe table.destinations.append(contentsOf: columns.destinations, at: row)
    unsafe table.precisions.append(contentsOf: columns.precisions, at: row)
    unsafe table.createdAt.append(contentsOf: columns.createdAt, at: row)
    unsafe table.positions.append(contentsOf: columns.positions, at: row)
    unsafe table.flags.append(contentsOf: columns.flags, at: row)
    appendAmounts(columns.amounts, first)
    try appendDetails(columns.details, first)
    append(columns.identifiers, to: table.identifiers, at: first)
    link(columns, first)
    restoreMetadata(columns.metadata, in: table.cells, lane: 0, first)
    unsafe books.writer.pointee.counts.transactions += columns.rowCount
  }

  private func check(_ columns: RestoredTransactions, _ counts: TableCounts) throws(RestoreFault) {
    for place in 0..<columns.rowCount {
      let (source, destination) = unsafe (columns.sources[place], columns.destinations[place])
      let amount = unsafe columns.amounts.narrow[place]
      let flags = unsafe columns.flags[place]
      let member: String? =
        if Int(source) >= counts.balances {
          "source"
        } else if Int(destination) >= counts.balances || destination == source {
          "destination"
        } else if amount <= 0, amount != AmountBlock.wideMark {
          "precise_amount"
        } else if flags >> 5 != 0 || TransactionStatus(rawValue: flags & 15) == nil {
          "flags"
        } else {
          nil
        }
      if let member {
        throw .badReference(table: .transaction, row: counts.transactions + place, member: member)
      }
    }
    if columns.amounts.wide.contains(where: { $0.signum <= 0 }) {
      throw .badReference(table: .transaction, row: counts.transactions, member: "precise_amount")
    }
  }

  private func appendAmounts(_ amounts: RestoredAmounts, _ first: Int) {
    let table = books.transactions
    if amounts.wide.isEmpty {
      unsafe table.amounts.append(contentsOf: amounts.narrow, at: RowIndex(first))
      return
    }
    var cursor = WideCursor(amounts)
    for place in unsafe 0..<amounts.narrow.count {
      unsafe table.appendAmount(cursor.amount(amounts.narrow[place]), at: RowIndex(first + place))
    }
  }

  private func appendDetails(_ records: RestoredRecords, _ first: Int) throws(RestoreFault) {
    let table = books.transactions
    var offset = 0
    for place in unsafe 0..<records.lengths.count {
      let length = unsafe records.lengths[place]
      guard length != RestoredRecords.noRecord else {
        throw .badReference(table: .transaction, row: first + place, member: "detail")
      }
      let record = unsafe UnsafeRawBufferPointer(rebasing: records.bytes[offset..<offset + Int(length)])
      offset += Int(length)
      guard unsafe TransactionDetail.isWellFormed(record) else {
        throw .badReference(table: .transaction, row: first + place, member: "detail")
      }
      unsafe table.details.append(table.heap.append(record), at: RowIndex(first + place))
    }
  }

  /// Chains each transaction to the ones before it. The balances lie anywhere, so their memory is asked for
  /// ahead.
  private func link(_ columns: RestoredTransactions, _ first: Int) {
    let table = books.transactions
    let newest = books.balances.newestTransactions
    let ahead = 16
    for place in 0..<columns.rowCount {
      if place + ahead < columns.rowCount {
        unsafe newest.prefetch(RowIndex(columns.sources[place + ahead]))
        unsafe newest.prefetch(RowIndex(columns.destinations[place + ahead]))
      }
      let row = RowIndex(first + place)
      let (source, destination) = unsafe (
        RowIndex(columns.sources[place]), RowIndex(columns.destinations[place])
      )
      table.previousOfSource.append(newest[source], at: row)
      table.previousOfDestination.append(newest[destination], at: row)
      newest[source] = row.rawValue + 1
      newest[destination] = row.rawValue + 1
    }
  }
}

extension TransactionTable {
  /// Puts rows into the index of references, while no other thread uses it.
  /// - Returns: the first row whose reference another has already, nil when there is none.
  func fillReferences(_ rows: Range<Int>) -> Int? {
    let place = references.fill(from: RowIndex(rows.lowerBound), count: rows.count) { place in
      unsafe KeyHash.hash(referenceBytes(RowIndex(rows.lowerBound + place)))
    } isSame: { row, place in
      unsafe textsAreEqual(referenceBytes(row), referenceBytes(RowIndex(rows.lowerBound + place)))
    }
    return place.map { rows.lowerBound + $0 }
  }
}

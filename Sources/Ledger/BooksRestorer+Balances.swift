// Balances of a snapshot back into books, by column.

import Amounts
import Columns
import Platform

extension BooksRestorer {
  /// The next balances, without their identifiers' index.
  package mutating func appendBalances(_ columns: RestoredBalances) throws(RestoreFault) {
    let table = books.balances
    let first = unsafe books.writer.pointee.counts.balances
    try check(columns, first)
    let row = RowIndex(first)
    unsafe table.ledgers.append(contentsOf: columns.ledgers, at: row)
    unsafe table.currencies.append(contentsOf: columns.currencies, at: row)
    unsafe table.indicators.append(contentsOf: columns.indicators, at: row)
    appendGroups(columns, first)
    unsafe table.createdAt.append(contentsOf: columns.createdAt, at: row)
    unsafe table.multipliers.append(contentsOf: columns.multipliers, at: row)
    unsafe table.flags.append(contentsOf: columns.flags, at: row)
    for place in 0..<columns.rowCount where Layout.slot(of: RowIndex(first + place)) == 0 {
      table.newestCreations.append(0, at: RowIndex(Layout.chunk(of: RowIndex(first + place))))
    }
    table.newestTransactions.append(repeating: 0, count: columns.rowCount, at: row)
    append(columns.identifiers, to: table.identifiers, at: first)
    for place in 0..<columns.rowCount { unsafe books.noteBalanceTime(Microseconds(columns.createdAt[place])) }
    let counts = books.ledgers.balanceCounts
    for place in 0..<columns.rowCount { unsafe counts[RowIndex(columns.ledgers[place])] += 1 }
    restoreTotals(columns, first)
    restoreHolds(columns, first)
    restoreCells(columns, first)
    try appendIndicators(columns, first)
    unsafe books.writer.pointee.counts.balances += columns.rowCount
  }

  private func check(_ columns: RestoredBalances, _ first: Int) throws(RestoreFault) {
    let counts = unsafe books.writer.pointee.counts
    let currencyCount = books.currencies.count
    let indicatorCount = books.indicators.count
    for place in 0..<columns.rowCount {
      let currency = unsafe Int(columns.currencies[place])
      let flags = unsafe columns.flags[place]
      let member: String? =
        if unsafe Int(columns.ledgers[place]) >= counts.ledgers {
          "ledger_id"
        } else if unsafe Int(columns.identities[place]) > counts.identities {
          "identity_id"
        } else if currency == 0 || currency > currencyCount {
          "currency"
        } else if unsafe Int(columns.indicators[place]) > indicatorCount {
          "indicator"
        } else if flags >> 3 != 0 || AllocationStrategy(rawValue: flags >> 1) == nil {
          "flags"
        } else {
          nil
        }
      if let member { throw .badReference(table: .balance, row: first + place, member: member) }
    }
  }

  /// Gives each row its group, makes the groups that are new, and counts their balances.
  private func appendGroups(_ columns: RestoredBalances, _ first: Int) {
    unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: columns.rowCount) { groups in
      var finder = GroupFinder(books.groups)
      for place in 0..<columns.rowCount {
        let group = unsafe finder.group(ledger: columns.ledgers[place], currency: columns.currencies[place])
        unsafe groups[place] = group
        books.groups.count(1, in: group)
      }
      unsafe books.balances.groups.append(contentsOf: UnsafeBufferPointer(groups), at: RowIndex(first))
    }
  }

  private func appendIndicators(_ columns: RestoredBalances, _ first: Int) throws(RestoreFault) {
    let table = books.balances
    for place in 0..<columns.rowCount where unsafe columns.indicators[place] != 0 {
      let (indicator, currency) = unsafe (columns.indicators[place], columns.currencies[place])
      if table.writerRow(indicator: indicator, currency: currency) != nil {
        throw .duplicate(table: .balance, row: first + place, member: "indicator")
      }
      table.indicatorIndex.insert(
        hash: KeyHash.hash(UInt64(indicator), UInt64(currency)), row: RowIndex(first + place))
    }
  }

  // MARK: Changing columns

  private func restoreTotals(_ columns: RestoredBalances, _ first: Int) {
    let (credits, debits, versions) = unsafe (columns.credits.narrow, columns.debits.narrow, columns.versions)
    var (credit, debit) = (WideCursor(columns.credits), WideCursor(columns.debits))
    var place = 0
    while place < columns.rowCount {
      // Rows that lie side by side in a chunk.
      let row = RowIndex(first + place)
      let end = min(place + Layout.groupRows - row.index % Layout.groupRows, columns.rowCount)
      defer { place = end }
      var isTouched = false
      for place in place..<end {
        unsafe isTouched = isTouched || credits[place] != 0 || debits[place] != 0 || versions[place] != 1
      }
      if !isTouched { continue }
      let chunk = Layout.chunk(of: row)
      let block = AmountBlock(
        books.balances.totals.blockForWriting(chunk, position: 0), laneCount: BalanceTable.Lane.count)
      let slot = Layout.slot(of: row)
      for step in 0..<end - place {
        let (narrowCredit, narrowDebit) = unsafe (credits[place + step], debits[place + step])
        let (balance, overflow) = narrowCredit.subtractingReportingOverflow(narrowDebit)
        unsafe block.words[slot + step] = versions[place + step]
        if !overflow, narrowCredit != AmountBlock.wideMark, narrowDebit != AmountBlock.wideMark,
          balance != AmountBlock.wideMark
        {
          block.setNarrow(narrowCredit, lane: BalanceTable.Lane.credit, slot: slot + step)
          block.setNarrow(narrowDebit, lane: BalanceTable.Lane.debit, slot: slot + step)
          block.setNarrow(balance, lane: BalanceTable.Lane.balance, slot: slot + step)
          books.groups.add(
            credit: narrowCredit, debit: narrowDebit, to: books.balances.groups[RowIndex(row.index + step)])
        } else {
          let (wideCredit, wideDebit) = (credit.amount(narrowCredit), debit.amount(narrowDebit))
          block.set(wideCredit, lane: BalanceTable.Lane.credit, slot: slot + step)
          block.set(wideDebit, lane: BalanceTable.Lane.debit, slot: slot + step)
          block.set(wideCredit - wideDebit, lane: BalanceTable.Lane.balance, slot: slot + step)
          books.groups.add(
            credit: wideCredit, debit: wideDebit, to: books.balances.groups[RowIndex(row.index + step)])
        }
      }
      for lane in [BalanceTable.Lane.credit, BalanceTable.Lane.debit] {
        var greatest = Sketch.zero
        let sketches = unsafe block.sketches(lane) + slot
        for step in 0..<end - place { unsafe greatest = max(greatest, sketches[step]) }
        books.balances.totalsMaxima.raise(chunk, lane: lane, to: greatest)
      }
    }
  }

  private func restoreHolds(_ columns: RestoredBalances, _ first: Int) {
    var (credit, debit) = (WideCursor(columns.inflightCredits), WideCursor(columns.inflightDebits))
    for place in 0..<columns.rowCount {
      let narrow = unsafe (columns.inflightCredits.narrow[place], columns.inflightDebits.narrow[place])
      if narrow.0 == 0, narrow.1 == 0 { continue }
      let row = RowIndex(first + place)
      let balances = books.balances
      balances.setHold(row, lane: BalanceTable.HoldLane.credit, credit.amount(narrow.0), position: 0)
      balances.setHold(row, lane: BalanceTable.HoldLane.debit, debit.amount(narrow.1), position: 0)
    }
  }

  private func restoreCells(_ columns: RestoredBalances, _ first: Int) {
    let cells = books.balances.cells
    for place in 0..<columns.rowCount {
      let identity = unsafe columns.identities[place]
      if identity == 0 { continue }
      let row = RowIndex(first + place)
      let block = CellBlock(cells.blockForWriting(Layout.chunk(of: row), position: 0))
      block[lane: BalanceTable.Cell.identity, slot: Layout.slot(of: row)] = identity
      books.identities.balanceCounts[RowIndex(identity - 1)] += 1
    }
    restoreMetadata(columns.metadata, in: cells, lane: BalanceTable.Cell.metadata, first)
  }

  // MARK: For both tables

  /// Puts the records that are there behind the cells of their rows.
  func restoreMetadata(_ records: RestoredRecords, in cells: BlockTable, lane: Int, _ first: Int) {
    if records.isEmpty { return }
    var offset = 0
    for place in unsafe 0..<records.lengths.count {
      let length = unsafe records.lengths[place]
      if length == RestoredRecords.noRecord { continue }
      let bytes = unsafe UnsafeRawBufferPointer(rebasing: records.bytes[offset..<offset + Int(length)])
      offset += Int(length)
      if unsafe bytes.isEmpty { continue }
      let row = RowIndex(first + place)
      let block = CellBlock(cells.blockForWriting(Layout.chunk(of: row), position: 0))
      block[lane: lane, slot: Layout.slot(of: row)] = unsafe books.records.put(bytes)
    }
  }

  /// Appends identifiers without their index.
  func append(_ identifiers: RestoredIdentifiers, to column: IdentifierColumn, at first: Int) {
    var chosen = identifiers.chosen.makeIterator()
    var greatest = unsafe books.writer.pointee.greatestForeignUUID
    for place in unsafe 0..<identifiers.lows.count {
      let identifier = unsafe StoredIdentifier(high: identifiers.highs[place], low: identifiers.lows[place])
      let row = RowIndex(first + place)
      if identifier.isUUID {
        column.appendStored(identifier, at: row)
        if (identifier.high, identifier.low) > (greatest.high, greatest.low) { greatest = identifier }
      } else {
        guard let text = chosen.next() else { preconditionFailure("each row has an identifier") }
        column.appendStored(text, at: row)
      }
    }
    unsafe books.writer.pointee.greatestForeignUUID = greatest
  }
}

/// Finds groups in a hurry: most rows have a ledger and a currency that were looked up a moment ago.
private struct GroupFinder {
  private static let placeCount = 1024
  private let groups: BalanceGroups
  /// By a few bits of ledger and currency: both, and their group.
  private var recent: [(key: UInt64, group: UInt32)]

  init(_ groups: BalanceGroups) {
    self.groups = groups
    recent = Array(repeating: (.max, 0), count: Self.placeCount)
  }

  mutating func group(ledger: UInt32, currency: UInt32) -> UInt32 {
    let key = UInt64(ledger) << 32 | UInt64(currency)
    let place = Int((ledger &* 13 &+ currency) & UInt32(Self.placeCount - 1))
    if recent[place].key == key { return recent[place].group }
    let group = groups.intern(ledger: RowIndex(ledger), currency: currency)
    recent[place] = (key, group)
    return group
  }
}

/// Walks the wide amounts of a column, row by row.
struct WideCursor {
  private let wide: [Amount]
  private var place = 0

  init(_ amounts: RestoredAmounts) { wide = amounts.wide }

  /// The amount of the next row with `narrow`; rows without the mark may be left out.
  mutating func amount(_ narrow: Int64) -> Amount {
    guard narrow == AmountBlock.wideMark else { return Amount(narrow) }
    defer { place += 1 }
    return wide[place]
  }
}

/// The indexes of books that are being restored. One thread at a time for each; the rows have been appended,
/// and a lock was given up by who appended them and taken by who indexes them.
package struct RestoredIndexes: Sendable {
  package enum Name: Sendable, CaseIterable {
    case balanceIdentifiers, balanceLists, transactionIdentifiers, transactionReferences
  }

  let books: Books

  /// Puts rows into an index, in ascending order from call to call.
  package func fill(_ name: Name, _ rows: Range<Int>) throws(RestoreFault) {
    switch name {
    case .balanceIdentifiers:
      if let row = books.balances.identifiers.fillIndex(rows) {
        throw .duplicate(table: .balance, row: row, member: "id")
      }
    case .balanceLists: books.balances.fillLists(rows)
    case .transactionIdentifiers:
      if let row = books.transactions.identifiers.fillIndex(rows) {
        throw .duplicate(table: .transaction, row: row, member: "id")
      }
    case .transactionReferences:
      if let row = books.transactions.fillReferences(rows) {
        throw .duplicate(table: .transaction, row: row, member: "reference")
      }
    }
  }
}

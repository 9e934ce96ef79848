// From the columns of a snapshot back to books.

import Amounts
import Columns
import Ledger
import Platform

extension SnapshotReader {
  /// Loads the snapshot. Every byte is checked before it is believed; what refers to another row is checked
  /// as well.
  /// - Throws: `.damaged` with file and offset.
  /// - Complexity: O(rows), on two threads.
  func load(clock: any TimeSource) throws(StorageError) -> Books {
    let restoration = try GroupQueue(self).run { queue throws(StorageError) in
      let restoration = Restoration(clock: clock)
      while let group = try queue.take() {
        do throws(ContentFault) {
          try restoration.restore(group)
        } catch {
          throw .damaged(
            StorageFault(
              path: group.path, offset: group.offsets[restoration.columnPlace],
              finding: "the group of \(group.table.name) from row \(group.firstRow): \(error.finding)"))
        }
        queue.giveBack(group)
      }
      return restoration
    }
    do throws(ContentFault) {
      return try restoration.finish(position: summary.position, lastInstant: summary.latestInstant)
    } catch {
      throw .damaged(StorageFault(path: directory.path, finding: error.finding))
    }
  }
}

/// Gives the rows of one group after the other to a restorer. One thread.
private final class Restoration {
  private var restorer: BooksRestorer?
  private var identifiers = IdentifierCursor()
  private var records = RecordCursor()
  private var balances = BalanceCursors()
  private var transactions = TransactionCursors()
  /// The place in the group of the column that was touched last, for faults.
  private(set) var columnPlace = 0

  init(clock: any TimeSource) {
    restorer = BooksRestorer(clock: clock, seed: (KernelRandom.word(), KernelRandom.word()))
  }

  func restore(_ group: GroupColumns) throws(ContentFault) {
    columnPlace = 0
    guard var restorer = self.restorer.take() else {
      preconditionFailure("restored until a fault or the end")
    }
    switch group.table {
    case .currencies, .indicators: try restoreTexts(group, &restorer)
    case .ledgers, .identities: try restoreEntities(group, &restorer)
    case .balances: try balances.restore(group, &restorer, &columnPlace)
    case .transactions: try transactions.restore(group, &restorer, &columnPlace)
    case .keys: try restoreKeys(group, &restorer)
    }
    self.restorer = consume restorer
  }

  func finish(position: UInt64, lastInstant: Microseconds) throws(ContentFault) -> Books {
    guard let restorer = self.restorer.take() else { preconditionFailure("finished once") }
    do throws(RestoreFault) {
      return try restorer.finish(position: position, lastInstant: lastInstant)
    } catch {
      throw ContentFault(error)
    }
  }

  private func restoreTexts(
    _ group: GroupColumns, _ restorer: inout BooksRestorer
  ) throws(ContentFault) {
    try records.load(&group[SnapshotColumn.Text.text], rowCount: group.rowCount)
    for place in 0..<group.rowCount {
      let bytes = unsafe try records.next(place)
      let text = unsafe String(decoding: bytes, as: UTF8.self)
      guard unsafe text.utf8.elementsEqual(bytes) else { throw ContentFault("a text is not UTF-8") }
      try ContentFault.wrapping { () throws(RestoreFault) in
        if group.table == .currencies {
          try restorer.appendCurrency(text)
        } else {
          try restorer.appendIndicator(text)
        }
      }
    }
  }

  private func restoreEntities(
    _ group: GroupColumns, _ restorer: inout BooksRestorer
  ) throws(ContentFault) {
    typealias Column = SnapshotColumn.Entity
    let rowCount = group.rowCount
    var times = ValueColumn<Int64>()
    try identifiers.load(&group[Column.identifier], rowCount: rowCount)
    columnPlace = 1
    try times.load(differences: &group[Column.createdAt], rowCount: rowCount)
    columnPlace = 2
    try records.load(&group[Column.record], rowCount: rowCount)
    let isLedger = group.table == .ledgers
    for place in 0..<rowCount {
      let identifier = try identifiers.next(place, kind: isLedger ? .ledger : .identity)
      let createdAt = Microseconds(times[place])
      if isLedger {
        let record = unsafe try records.next(place)
        try ContentFault.wrapping { () throws(RestoreFault) in
          unsafe try restorer.appendLedger(identifier, createdAt: createdAt, record: record)
        }
      } else {
        let record = unsafe records.nextOptional(place)
        try ContentFault.wrapping { () throws(RestoreFault) in
          unsafe try restorer.appendIdentity(identifier, createdAt: createdAt, record: record)
        }
      }
    }
    try identifiers.finish()
  }

  private func restoreKeys(
    _ group: GroupColumns, _ restorer: inout BooksRestorer
  ) throws(ContentFault) {
    try records.load(&group[SnapshotColumn.Key.record], rowCount: group.rowCount)
    for place in 0..<group.rowCount {
      let record = unsafe try records.next(place)
      try ContentFault.wrapping { () throws(RestoreFault) in unsafe try restorer.appendKey(record) }
    }
  }
}

/// Rows that are asked for ahead: most of what a row costs is waiting for the memory of the indexes.
private let rowsAhead = 12

/// The columns of a group of balances.
private struct BalanceCursors: ~Copyable {
  private var identifiers = IdentifierCursor()
  private var ledgers = ValueColumn<UInt32>()
  private var currencies = ValueColumn<UInt32>()
  private var indicators = ValueColumn<UInt32>()
  private var createdAt = ValueColumn<Int64>()
  private var multipliers = ValueColumn<Int64>()
  private var flags = ValueColumn<UInt8>()
  private var credits = AmountCursor()
  private var debits = AmountCursor()
  private var inflightCredits = AmountCursor()
  private var inflightDebits = AmountCursor()
  private var versions = ValueColumn<UInt32>()
  private var identities = ValueColumn<UInt32>()
  private var metadata = RecordCursor()

  init() {}

  mutating func restore(
    _ group: GroupColumns, _ restorer: inout BooksRestorer, _ columnPlace: inout Int
  ) throws(ContentFault) {
    try load(group, &columnPlace)
    columnPlace = 0
    for place in 0..<group.rowCount {
      if place + rowsAhead < group.rowCount, let uuid = identifiers.uuid(place + rowsAhead) {
        restorer.expectBalance(uuid)
      }
      try restoreRow(place, &restorer)
    }
    try identifiers.finish()
    try credits.finish()
    try debits.finish()
    try inflightCredits.finish()
    try inflightDebits.finish()
  }

  @inline(__always)
  private mutating func restoreRow(
    _ place: Int, _ restorer: inout BooksRestorer
  ) throws(ContentFault) {
    let credit = try credits.next(place)
    let debit = try debits.next(place)
    let identity = identities[place]
    let balance = RestoredBalance(
      identifier: try identifiers.next(place, kind: .balance), ledger: RowIndex(ledgers[place]),
      currency: currencies[place], indicator: indicators[place],
      identity: identity == 0 ? nil : RowIndex(identity - 1), createdAt: Microseconds(createdAt[place]),
      currencyMultiplier: multipliers[place], flags: flags[place], version: versions[place], credit: credit,
      debit: debit, balance: credit - debit, inflightCredit: try inflightCredits.next(place),
      inflightDebit: try inflightDebits.next(place))
    let record = unsafe metadata.nextOptional(place) ?? UnsafeRawBufferPointer(start: nil, count: 0)
    try ContentFault.wrapping { () throws(RestoreFault) in
      unsafe try restorer.appendBalance(balance, metadata: record)
    }
  }

  private mutating func load(_ group: GroupColumns, _ columnPlace: inout Int) throws(ContentFault) {
    typealias Column = SnapshotColumn.Balance
    let rowCount = group.rowCount
    for column in SnapshotTable.balances.columns {
      columnPlace = Int(column) - 1
      switch column {
      case Column.identifier: try identifiers.load(&group[column], rowCount: rowCount)
      case Column.ledger: try ledgers.load(&group[column], rowCount: rowCount)
      case Column.currency: try currencies.load(&group[column], rowCount: rowCount)
      case Column.indicator: try indicators.load(&group[column], rowCount: rowCount)
      case Column.createdAt: try createdAt.load(differences: &group[column], rowCount: rowCount)
      case Column.multiplier: try multipliers.load(&group[column], rowCount: rowCount)
      case Column.flags: try flags.load(&group[column], rowCount: rowCount)
      case Column.credit: try credits.load(&group[column], rowCount: rowCount)
      case Column.debit: try debits.load(&group[column], rowCount: rowCount)
      case Column.inflightCredit: try inflightCredits.load(&group[column], rowCount: rowCount)
      case Column.inflightDebit: try inflightDebits.load(&group[column], rowCount: rowCount)
      case Column.version: try versions.load(&group[column], rowCount: rowCount)
      case Column.identity: try identities.load(&group[column], rowCount: rowCount)
      case Column.metadata: try metadata.load(&group[column], rowCount: rowCount)
      default: preconditionFailure("the columns of the schema")
      }
    }
  }
}

/// The columns of a group of transactions.
private struct TransactionCursors: ~Copyable {
  private var identifiers = IdentifierCursor()
  private var sources = ValueColumn<UInt32>()
  private var destinations = ValueColumn<UInt32>()
  private var amounts = AmountCursor()
  private var precisions = ValueColumn<Int64>()
  private var createdAt = ValueColumn<Int64>()
  private var positions = ValueColumn<UInt64>()
  private var flags = ValueColumn<UInt8>()
  private var details = RecordCursor()
  private var metadata = RecordCursor()

  init() {}

  mutating func restore(
    _ group: GroupColumns, _ restorer: inout BooksRestorer, _ columnPlace: inout Int
  ) throws(ContentFault) {
    try load(group, &columnPlace)
    columnPlace = 0
    for place in 0..<min(rowsAhead, group.rowCount) { expectRow(place, restorer) }
    for place in 0..<group.rowCount {
      if place + rowsAhead < group.rowCount { expectRow(place + rowsAhead, restorer) }
      try restoreRow(place, &restorer)
    }
    try identifiers.finish()
    try amounts.finish()
  }

  @inline(__always)
  private mutating func expectRow(_ place: Int, _ restorer: borrowing BooksRestorer) {
    unsafe restorer.expectTransaction(
      identifiers.uuid(place), source: RowIndex(sources[place]), destination: RowIndex(destinations[place]),
      detail: details.ahead(place))
  }

  @inline(__always)
  private mutating func restoreRow(
    _ place: Int, _ restorer: inout BooksRestorer
  ) throws(ContentFault) {
    let transaction = RestoredTransaction(
      identifier: try identifiers.next(place, kind: .transaction), source: RowIndex(sources[place]),
      destination: RowIndex(destinations[place]), amount: try amounts.next(place),
      precision: precisions[place], createdAt: Microseconds(createdAt[place]), position: positions[place],
      flags: flags[place])
    let detail = unsafe try details.next(place)
    let record = unsafe metadata.nextOptional(place) ?? UnsafeRawBufferPointer(start: nil, count: 0)
    try ContentFault.wrapping { () throws(RestoreFault) in
      unsafe try restorer.appendTransaction(transaction, detail: detail, metadata: record)
    }
  }

  private mutating func load(_ group: GroupColumns, _ columnPlace: inout Int) throws(ContentFault) {
    typealias Column = SnapshotColumn.Transaction
    let rowCount = group.rowCount
    for column in SnapshotTable.transactions.columns {
      columnPlace = Int(column) - 1
      switch column {
      case Column.identifier: try identifiers.load(&group[column], rowCount: rowCount)
      case Column.source: try sources.load(&group[column], rowCount: rowCount)
      case Column.destination: try destinations.load(&group[column], rowCount: rowCount)
      case Column.amount: try amounts.load(&group[column], rowCount: rowCount)
      case Column.precision: try precisions.load(&group[column], rowCount: rowCount)
      case Column.createdAt: try createdAt.load(differences: &group[column], rowCount: rowCount)
      case Column.position: try positions.load(differences: &group[column], rowCount: rowCount)
      case Column.flags: try flags.load(&group[column], rowCount: rowCount)
      case Column.detail: try details.load(&group[column], rowCount: rowCount)
      case Column.metadata: try metadata.load(&group[column], rowCount: rowCount)
      default: preconditionFailure("the columns of the schema")
      }
    }
  }
}

extension ContentFault {
  init(_ fault: RestoreFault) {
    switch fault {
    case .badReference(let table, let row, let member):
      self.init("row \(row) of the \(table) table has no valid \(member)")
    case .duplicate(let table, let row, let member):
      self.init("row \(row) of the \(table) table repeats the \(member) of another row")
    case .badKey(let number): self.init("idempotency key \(number) cannot be read or comes twice")
    case .noGeneralLedger: self.init("the first ledger is not the general ledger")
    }
  }

  @inline(__always)
  static func wrapping(_ body: () throws(RestoreFault) -> Void) throws(ContentFault) {
    do throws(RestoreFault) { try body() } catch { throw ContentFault(error) }
  }
}

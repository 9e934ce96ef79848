// From the columns of a snapshot back to books.

import Amounts
import Columns
import Ledger
import Platform

extension SnapshotReader {
  /// Loads the snapshot. Every byte is checked before it is believed; what refers to another row is checked
  /// as well.
  /// - Parameter observer: called with the rows of each group that was restored, on any thread, one at a
  ///   time.
  /// - Throws: `.damaged` with file and offset.
  /// - Complexity: O(rows), on as many threads as there are processors, at most four.
  func load(
    clock: any TimeSource, observer: @escaping @Sendable (_ rowCount: Int) -> Void = { _ in }
  ) throws(StorageError) -> Books {
    let restoration = try LoadPipeline(self, clock: clock, observer: observer)
      .run(threadCount: min(max(CurrentProcess.processorCount, 2), 4))
    do throws(ContentFault) {
      return try restoration.finish(position: summary.position, lastInstant: summary.latestInstant)
    } catch {
      throw .damaged(StorageFault(path: directory.path, finding: error.finding))
    }
  }
}

/// Gives the rows of one group after the other to a restorer. One thread at a time.
final class Restoration: @unchecked Sendable {
  // @unchecked: one thread at a time restores; the pipeline sees to that.
  private var restorer: BooksRestorer?
  private var identifiers = IdentifierCursor()
  private var records = RecordCursor()
  private var balances = BalanceCursors()
  private var transactions = TransactionCursors()
  /// The place in the group of the column that was touched last, for faults.
  private(set) var columnPlace = 0
  let indexes: RestoredIndexes

  init(clock: any TimeSource, expected: TableCounts) {
    let restorer = BooksRestorer(
      clock: clock, seed: (KernelRandom.word(), KernelRandom.word()), expected: expected)
    indexes = restorer.indexes
    self.restorer = consume restorer
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
    typealias Column = SnapshotColumn.Balance
    let rowCount = group.rowCount
    try load(group, &columnPlace)
    columnPlace = Int(Column.identifier) - 1
    let identifiers = try self.identifiers.all(kind: .balance)
    columnPlace = Int(Column.credit) - 1
    let credits = try self.credits.amounts(rowCount: rowCount)
    columnPlace = Int(Column.debit) - 1
    let debits = try self.debits.amounts(rowCount: rowCount)
    columnPlace = Int(Column.inflightCredit) - 1
    let inflightCredits = try self.inflightCredits.amounts(rowCount: rowCount)
    columnPlace = Int(Column.inflightDebit) - 1
    let inflightDebits = try self.inflightDebits.amounts(rowCount: rowCount)
    columnPlace = 0
    let columns = unsafe RestoredBalances(
      rowCount: rowCount, identifiers: identifiers, ledgers: ledgers.values, currencies: currencies.values,
      indicators: indicators.values, identities: identities.values, createdAt: createdAt.values,
      multipliers: multipliers.values, flags: flags.values, versions: versions.values, credits: credits,
      debits: debits, inflightCredits: inflightCredits, inflightDebits: inflightDebits,
      metadata: metadata.records(rowCount: rowCount))
    try ContentFault.wrapping { () throws(RestoreFault) in try restorer.appendBalances(columns) }
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
    typealias Column = SnapshotColumn.Transaction
    let rowCount = group.rowCount
    try load(group, &columnPlace)
    columnPlace = Int(Column.identifier) - 1
    let identifiers = try self.identifiers.all(kind: .transaction)
    columnPlace = Int(Column.amount) - 1
    let amounts = try self.amounts.amounts(rowCount: rowCount)
    columnPlace = 0
    let columns = unsafe RestoredTransactions(
      rowCount: rowCount, identifiers: identifiers, sources: sources.values,
      destinations: destinations.values, amounts: amounts, precisions: precisions.values,
      createdAt: createdAt.values, positions: positions.values, flags: flags.values,
      details: details.records(rowCount: rowCount), metadata: metadata.records(rowCount: rowCount))
    try ContentFault.wrapping { () throws(RestoreFault) in try restorer.appendTransactions(columns) }
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

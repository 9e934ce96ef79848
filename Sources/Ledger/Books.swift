// The books: all tables, the locks that guard them, and how readers come in.

import Amounts
import Columns
import Platform
import Synchronization

/// Every ledger, identity, balance and transaction, in memory.
///
/// Writes are serialised by the creation lock (rank 0): each transaction makes a row and a reference. Under
/// it a write takes the locks of the shards it touches (rank 1) for as long as it changes them. Readers of
/// one row take that row's shard lock; every other reader takes a cut. See docs/concurrency.md.
@safe package final class Books: Sendable {
  package let epochs = Epochs()
  package let balances: BalanceTable
  package let transactions: TransactionTable
  package let ledgers: EntityTable
  package let identities: EntityTable
  package let currencies = TextDictionary()
  package let indicators = TextDictionary()
  /// Balances of one ledger and currency together.
  package let groups = BalanceGroups()
  /// Metadata of balances and transactions, records of ledgers and identities.
  package let records: RecordStore
  package let clock: any TimeSource
  /// Rows that each table may have.
  let rowLimit: Int

  /// Rank 0: held for the whole of a write, and to take a cut.
  let creationLock = WriterFirstLock()
  /// Rank 1, ascending; taken through `ShardSet`.
  let shardLocks = LockTable(count: Layout.shardCount)
  /// What only the holder of the creation lock touches.
  nonisolated(unsafe) let writer: UnsafeMutablePointer<WriterState>

  /// Rows that readers may see, and the position of the last fact; written by the writer when a command is
  /// done.
  private let publishedBalances = Atomic<Int>(0)
  private let publishedTransactions = Atomic<Int>(0)
  private let publishedLedgers = Atomic<Int>(0)
  private let publishedIdentities = Atomic<Int>(0)
  private let publishedPosition = Atomic<UInt64>(0)
  /// False once a row was created with an earlier time than the row before it.
  private let balancesAreInTimeOrder = Atomic<Bool>(true)

  /// Books with nothing in them but the general ledger, which is the first fact.
  /// - Parameters:
  ///   - clock: the only source of time.
  ///   - seed: 128 random bits for identifiers.
  ///   - rowLimit: rows that each table may have.
  ///   - log: gets every fact from the first on.
  package convenience init(
    clock: any TimeSource, seed: (UInt64, UInt64), rowLimit: Int = Layout.rowLimit, log: FactLog? = nil
  ) {
    self.init(emptyWith: clock, seed: seed, rowLimit: rowLimit)
    if let log { attach(log) }
    openBalanceOrder()
    createGeneralLedger()
  }

  /// Books with nothing in them at all, for restoring and for replaying.
  package init(
    emptyWith clock: any TimeSource, seed: (UInt64, UInt64), rowLimit: Int = Layout.rowLimit
  ) {
    self.clock = clock
    self.rowLimit = rowLimit
    records = RecordStore(epochs: epochs)
    balances = BalanceTable(epochs: epochs, metadata: records)
    transactions = TransactionTable(epochs: epochs, metadata: records)
    ledgers = EntityTable(
      kind: .ledger, fieldCount: LedgerField.allCases.count, epochs: epochs, records: records)
    identities = EntityTable(
      kind: .identity, fieldCount: IdentityField.allCases.count, epochs: epochs, records: records)
    unsafe writer = .allocate(capacity: 1)
    unsafe writer.initialize(to: WriterState(identifiers: IdentifierSource(seed: seed)))
  }

  deinit {
    unsafe writer.deinitialize(count: 1)
    unsafe writer.deallocate()
  }

  /// From now on every fact goes into the log too. Once, after restoring and replaying, before the first
  /// command.
  package func attach(_ log: FactLog) {
    creationLock.withLock {
      unsafe precondition(writer.pointee.log == nil, "books have one log")
      unsafe writer.pointee.attach(log)
    }
  }

  /// Puts all balances in order, and keeps the order from now on. Once, after restoring and replaying, so
  /// that the first query need not. O(balances), some 100 ns each.
  package func openBalanceOrder() {
    creationLock.withLock { unsafe balances.order.open(rowCount: writer.pointee.counts.balances) }
  }

  // MARK: What readers may see

  /// Journal position of the last fact that readers see.
  package var position: UInt64 { publishedPosition.load(ordering: .acquiring) }

  /// Rows that readers may see. Each count is right for its table; for one moment of all tables take a cut.
  package var counts: TableCounts {
    TableCounts(
      balances: publishedBalances.load(ordering: .acquiring),
      transactions: publishedTransactions.load(ordering: .acquiring),
      ledgers: publishedLedgers.load(ordering: .acquiring),
      identities: publishedIdentities.load(ordering: .acquiring))
  }

  /// Whether row order is also the order of created_at. Once false it stays so; a reader asks its cut, which
  /// knew when it was taken.
  package var balancesLieInTimeOrder: Bool { balancesAreInTimeOrder.load(ordering: .acquiring) }

  /// The row with that identifier, if readers may see it. O(1) expected; no shard lock.
  package func row(_ kind: EntityKind, _ identifier: Identifier) -> RowIndex? {
    let counts = counts
    let row: RowIndex?
    let count: Int
    switch kind {
    case .balance: (row, count) = (balances.identifiers.row(of: identifier), counts.balances)
    case .transaction: (row, count) = (transactions.identifiers.row(of: identifier), counts.transactions)
    case .ledger: (row, count) = (ledgers.identifiers.row(of: identifier), counts.ledgers)
    case .identity: (row, count) = (identities.identifiers.row(of: identifier), counts.identities)
    case .batch: return nil
    }
    guard let row, row.index < count else { return nil }
    return row
  }

  /// The balance with that indicator in that currency.
  package func balanceRow(indicator: String, currency: String) -> RowIndex? {
    guard let indicator = indicators.code(of: indicator), let currency = currencies.code(of: currency),
      let row = balances.row(indicator: indicator, currency: currency), row.index < counts.balances
    else { return nil }
    return row
  }

  /// The transaction with that reference.
  package func transactionRow(reference: String) -> RowIndex? {
    guard let row = transactions.row(reference: reference), row.index < counts.transactions else {
      return nil
    }
    return row
  }

  /// Runs `body` under the lock of the row's shard: what the row's current blocks and records say holds
  /// meanwhile.
  package func withShard<Result, Failure: Error>(
    of row: RowIndex, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try shardLocks.withLock(Layout.shard(of: row), body)
  }

  /// The changing part of a balance now. One shard lock.
  package func balance(_ row: RowIndex) -> BalanceImage {
    withShard(of: row) { balances.currentImage(row) }
  }

  /// Journal position of the last fact that a reader of the row can have seen until now; may be a later one,
  /// never an earlier one. One shard lock.
  /// - Parameter kind: not `.batch`.
  package func latestChange(_ kind: EntityKind, _ row: RowIndex) -> UInt64 {
    withShard(of: row) {
      switch kind {
      case .balance: balances.latestChange(row)
      case .transaction:
        max(transactions.positions[row], transactions.cells.lastChange(Layout.chunk(of: row)))
      case .ledger: ledgers.cells.lastChange(Layout.chunk(of: row))
      case .identity: identities.cells.lastChange(Layout.chunk(of: row))
      case .batch: preconditionFailure("a batch has no row")
      }
    }
  }

  // MARK: Cuts

  /// A consistent view of everything, now. Waits for the write that is being carried out, if any.
  /// If nothing was written since the last cut, and somebody still holds that, it is shared.
  package func cut() -> Cut { creationLock.withLock { cutAlone() } }

  /// The same for who holds the creation lock.
  func cutAlone() -> Cut {
    if let cut = unsafe writer.pointee.lastCut, cut.position == position { return cut }
    let moment = unsafe moment(keys: writer.pointee.keys.remembered)
    let cut = Cut(books: self, epoch: epochs.begin(), moment: moment)
    unsafe writer.pointee.lastCut = cut
    return cut
  }

  private func moment(keys: RememberedKeys) -> CutMoment {
    unsafe CutMoment(
      position: position, counts: counts, lastInstant: writer.pointee.lastInstant,
      currencyCount: currencies.count, indicatorCount: indicators.count,
      balancesLieInTimeOrder: balancesLieInTimeOrder, keys: keys, takenAt: clock.monotonicTime())
  }

  /// Runs `body` on what is true now, while nobody writes. Costs writers only the time that `body` takes,
  /// never a copied block: for what needs some 20 µs at most, and no input or output. Everything else goes
  /// through `cut()`, or through `held()` of the cut that `body` is given.
  /// - Parameter body: gets an instant cut, which must not leave it; takes no cut and carries out no command.
  /// - Returns: what `body` returns; nothing in it may hold the cut.
  package func withInstant<Result, Failure: Error>(
    _ body: (Cut) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    creationLock.lockForReading()
    defer { creationLock.unlock() }
    // Keys are for snapshots: a reference to them would make the writer copy their list.
    var instant = Cut(books: self, epoch: .max, moment: moment(keys: RememberedKeys()))
    defer {
      precondition(isKnownUniquelyReferenced(&instant), "an instant cut stays in its closure")
    }
    return try body(instant)
  }

  /// How long ago the newest cut that is still held was taken, nil when none is.
  package func newestCutAge(now: MonotonicTime) -> Duration? {
    creationLock.withLock { unsafe writer.pointee.lastCut.map { now - $0.takenAt } }
  }

  /// Bytes of replaced blocks that are kept for cuts.
  package var retainedByteCount: Int {
    versionedTables.reduce(0) { $0 + $1.retainedByteCount }
  }

  private var versionedTables: [BlockTable] {
    [balances.totals, balances.holds, balances.cells, transactions.cells, ledgers.cells, identities.cells]
  }

  /// Ends a cut and gives back what was kept for it alone.
  func endCut(_ epoch: UInt64) {
    epochs.end(epoch)
    for table in versionedTables { table.reclaim() }
    records.reclaim()
  }

  // MARK: Publishing, for the writer

  /// Makes everything up to the writer's counts and position visible. The caller holds the creation lock.
  func publish() {
    let counts = unsafe writer.pointee.counts
    publishedBalances.store(counts.balances, ordering: .releasing)
    publishedTransactions.store(counts.transactions, ordering: .releasing)
    publishedLedgers.store(counts.ledgers, ordering: .releasing)
    publishedIdentities.store(counts.identities, ordering: .releasing)
    publishedPosition.store(unsafe writer.pointee.position, ordering: .releasing)
  }

  /// Notes that a balance was created with an earlier time than the one before it.
  func noteBalanceOutOfTimeOrder() { balancesAreInTimeOrder.store(false, ordering: .releasing) }
}

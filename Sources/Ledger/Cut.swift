// A consistent view of all books at one journal position.

import Amounts
import Columns
import Platform
import Synchronization

/// Everything as it stood at `position`: rows below the counts, blocks born before `epoch`. Reading through a
/// cut takes no lock and holds up nobody; while it is held, replaced blocks are kept for it, so hold it
/// briefly.
///
/// An instant cut (`Books.withInstant`) is of the moment too, but is not held: it lives under the creation
/// lock, sees the current blocks, makes no writer copy anything, and must not leave the closure it is given
/// to.
package final class Cut: Sendable {
  package let books: Books
  /// Blocks born before it are seen; `.max` for an instant cut.
  package let epoch: UInt64
  /// Journal position of the last fact that the cut sees.
  package let position: UInt64
  package let balanceCount: Int
  package let transactionCount: Int
  package let ledgerCount: Int
  package let identityCount: Int
  /// Distinct currencies; their codes are 1 to this.
  package let currencyCount: Int
  /// Distinct indicators; their codes are 1 to this.
  package let indicatorCount: Int
  /// Whether row order is also the order of created_at, so that a reader may sort balances by walking.
  package let balancesLieInTimeOrder: Bool
  /// Time of the last fact.
  package let lastInstant: Microseconds
  /// The idempotency keys remembered at the cut.
  package let keys: RememberedKeys
  /// When the cut was taken, on the monotonic clock.
  package let takenAt: MonotonicTime

  /// Threads that have said that they read no more.
  private let doneCount = Atomic<Int>(0)

  /// Made by `Books.cut()`, which keeps writers out meanwhile.
  init(books: Books, epoch: UInt64, moment: CutMoment) {
    self.books = books
    self.epoch = epoch
    position = moment.position
    balanceCount = moment.counts.balances
    transactionCount = moment.counts.transactions
    ledgerCount = moment.counts.ledgers
    identityCount = moment.counts.identities
    currencyCount = moment.currencyCount
    indicatorCount = moment.indicatorCount
    balancesLieInTimeOrder = moment.balancesLieInTimeOrder
    lastInstant = moment.lastInstant
    keys = moment.keys
    takenAt = moment.takenAt
  }

  deinit {
    if isInstant { return }
    _ = doneCount.load(ordering: .acquiring)
    books.endCut(epoch)
  }

  /// Says that the calling thread reads no more through this cut, though it still has a reference. Whoever
  /// lets go of the last reference ends the cut, and its blocks are overwritten; that all reading comes
  /// before is what the reference count orders. The thread sanitizer does not see reference counts; it sees
  /// this.
  package func doneReading() { doneCount.add(1, ordering: .releasing) }

  // MARK: Instant

  /// Whether nobody writes while the cut lives, so that what shows "now" belongs to it.
  package var isInstant: Bool { epoch == .max }

  /// The groups with their totals. Instant cuts only.
  package var groups: LiveGroups {
    precondition(isInstant, "live totals belong to an instant view")
    return LiveGroups(books.groups)
  }

  /// The balances in the order of what they hold. Instant cuts only. Rows that postings have changed since
  /// the last time are put in their places first: some 100 ns each, 0.4 ms at most. Before the first time in
  /// books that were neither made new nor recovered from a disk, all rows are.
  package var balanceOrder: LiveBalanceOrder {
    precondition(isInstant, "the order of balances belongs to an instant view")
    books.balances.order.refresh(rowCount: balanceCount)
    return LiveBalanceOrder(books.balances.order)
  }

  /// A held cut of the same moment, which may leave the closure: what takes long goes on through it, after
  /// the lock is let go. A held cut returns itself.
  package func held() -> Cut { isInstant ? books.cutAlone() : self }

  // MARK: Balances

  /// The changing part of a balance. O(1).
  package func balance(_ row: RowIndex) -> BalanceImage { books.balances.image(row, cut: epoch) }

  /// Bytes of metadata that the images of a page may have together.
  package static let pageMetadataLimit = 64 << 10

  /// The changing parts of a page of balances, for showing them when the cut is gone: all memory is asked for
  /// before the first is read, metadata is copied. Nil when the rows' metadata has more than
  /// `pageMetadataLimit` bytes: then hold a cut. O(rows): about 0.1 µs a row.
  package func images(of rows: [RowIndex]) -> [BalanceImage]? {
    books.balances.images(of: rows, cut: epoch, metadataLimit: Self.pageMetadataLimit)
  }

  /// The row with that identifier, if it existed at the cut.
  package func row(_ kind: EntityKind, _ identifier: Identifier) -> RowIndex? {
    let row: RowIndex?
    let count: Int
    switch kind {
    case .balance: (row, count) = (books.balances.identifiers.row(of: identifier), balanceCount)
    case .transaction: (row, count) = (books.transactions.identifiers.row(of: identifier), transactionCount)
    case .ledger: (row, count) = (books.ledgers.identifiers.row(of: identifier), ledgerCount)
    case .identity: (row, count) = (books.identities.identifiers.row(of: identifier), identityCount)
    case .batch: return nil
    }
    guard let row, row.index < count else { return nil }
    return row
  }
}

/// What the books note for a cut while writers are kept out.
struct CutMoment {
  var position: UInt64
  var counts: TableCounts
  var lastInstant: Microseconds
  var currencyCount: Int
  var indicatorCount: Int
  var balancesLieInTimeOrder: Bool
  var keys: RememberedKeys
  var takenAt: MonotonicTime
}

/// How many rows each table has.
package struct TableCounts: Sendable, Equatable {
  package var balances = 0
  package var transactions = 0
  package var ledgers = 0
  package var identities = 0

  package init(balances: Int = 0, transactions: Int = 0, ledgers: Int = 0, identities: Int = 0) {
    self.balances = balances
    self.transactions = transactions
    self.ledgers = ledgers
    self.identities = identities
  }
}

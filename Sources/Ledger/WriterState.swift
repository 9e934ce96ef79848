// What the one writer keeps between commands.

import Amounts
import Columns
import Platform

/// State that only the holder of the creation lock touches; always used in place, never copied.
struct WriterState {
  var identifiers: IdentifierSource
  /// Rows made, published or not.
  var counts = TableCounts()
  /// Position of the last fact applied.
  var position: UInt64 = 0
  /// Time of the last fact; no fact is earlier than the one before it.
  var lastInstant = Microseconds(0)
  /// created_at of the newest balance.
  var newestBalanceTime = Microseconds(.min)
  /// The greatest UUID that did not come from `identifiers`: up to it a new one might be taken already.
  var greatestForeignUUID = StoredIdentifier(high: 0, low: 0)
  /// Shards whose locks are held.
  var heldShards = ShardSet()
  /// Indicator balances that the command at hand would make, in the order of their rows to come.
  var pendingBalances = PendingBalances()
  /// What the earlier items of an atomic batch would change.
  var overlay = BatchOverlay()
  /// The indicator balance that was looked up last: many transactions name the same.
  var lastIndicator = (indicator: "", currency: "", row: RowIndex(0 as UInt32))
  /// Of the items of a batch that are about to be decided.
  var postingKeys: [PostingKeys] = []
  var keys = KeyMemory()
  weak var lastCut: Cut?
  /// The log that follows the books, and the producer's side of it; nil for none.
  private(set) var log: FactLog?
  private(set) var appender: FactAppender?

  init(identifiers: IdentifierSource) { self.identifiers = identifiers }

  mutating func attach(_ log: FactLog) {
    self.log = log
    appender = log.appender
    log.appender.begin(at: position)
  }
}

/// Balances that are decided but not made: `@indicator` balances that a transaction found missing.
struct PendingBalances {
  struct Name: Hashable {
    let indicator: String
    let currency: String
  }

  private(set) var names: [Name] = []
  private var places: [Name: Int] = [:]

  var count: Int { names.count }

  func place(of name: Name) -> Int? { names.isEmpty ? nil : places[name] }

  mutating func append(_ name: Name) {
    places[name] = names.count
    names.append(name)
  }

  mutating func removeAll() {
    if names.isEmpty { return }
    names.removeAll()
    places.removeAll()
  }
}

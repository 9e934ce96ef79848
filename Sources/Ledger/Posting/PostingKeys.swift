// Hashes and identifiers of transactions, made ahead so that the memory behind them is near when it is
// needed.

import Amounts
import Columns
import Platform

/// Where a transaction will look: most of what a posting costs is waiting for memory, and these waits
/// overlap.
struct PostingKeys: BitwiseCopyable {
  /// Hash of the balance's identifier; not used for an indicator.
  var source: UInt64
  var destination: UInt64
  var reference: UInt64
  /// The identifier that the transaction gets unless it has chosen one.
  var newIdentifier: StoredIdentifier
}

extension Books {
  /// Items that are prepared together: their misses overlap, and what was fetched is still in the nearest
  /// cache.
  static let window = 16

  /// Makes the keys of a transaction and asks for the slots of the indexes.
  func prepare(_ new: AskedTransaction, at time: Microseconds) -> PostingKeys {
    guard case .uuid(let high, let low) = unsafe writer.pointee.identifiers.next(at: time) else {
      preconditionFailure("a new identifier is a UUID")
    }
    let keys = PostingKeys(
      source: Self.hash(new.source), destination: Self.hash(new.destination),
      reference: TransactionTable.hash(reference: new.reference),
      newIdentifier: StoredIdentifier(high: high, low: low))
    balances.identifiers.prefetch(hash: keys.source)
    balances.identifiers.prefetch(hash: keys.destination)
    transactions.prefetch(referenceHash: keys.reference)
    transactions.identifiers.prefetch(hash: KeyHash.hash(high, low))
    return keys
  }

  private static func hash(_ party: Party) -> UInt64 {
    switch party {
    case .balance(let identifier): IdentifierColumn.hash(identifier)
    case .indicator: 0
    }
  }

  /// Asks for the rows that the keys most likely lead to.
  func prefetchRows(_ keys: PostingKeys) {
    if let row = balances.identifiers.likelyRow(hash: keys.source) {
      balances.prefetchPosting(row, isDebit: true)
    }
    if let row = balances.identifiers.likelyRow(hash: keys.destination) {
      balances.prefetchPosting(row, isDebit: false)
    }
  }

  /// Asks once more for what a decided posting will change.
  func prefetch(_ posting: Posting) {
    transactions.prefetch(referenceHash: posting.referenceHash)
    transactions.identifiers.prefetch(
      hash: KeyHash.hash(posting.newIdentifier.high, posting.newIdentifier.low))
    if isMade(posting.source) { balances.prefetchPosting(posting.source, isDebit: true) }
    if isMade(posting.destination) { balances.prefetchPosting(posting.destination, isDebit: false) }
  }

  /// Calls `body` with each item's index, the item and its keys, which are prepared a window ahead.
  @inline(__always)
  func forEachPrepared<Failure: Error>(
    _ items: AskedTransactions, at time: Microseconds,
    _ body: (Int, AskedTransaction, PostingKeys) throws(Failure) -> Void
  ) throws(Failure) {
    var start = 0
    while start < items.count {
      let end = min(start + Self.window, items.count)
      unsafe writer.pointee.postingKeys.removeAll(keepingCapacity: true)
      for index in start..<end {
        let keys = prepare(items[index], at: time)
        unsafe writer.pointee.postingKeys.append(keys)
      }
      for place in 0..<(end - start) { unsafe prefetchRows(writer.pointee.postingKeys[place]) }
      for index in start..<end {
        let keys = unsafe writer.pointee.postingKeys[index - start]
        try body(index, items[index], keys)
      }
      start = end
    }
  }
}

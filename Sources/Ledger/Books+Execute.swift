// Commands are carried out: locked, decided, turned into facts, published.

import Amounts
import Columns
import Platform

extension Books {
  /// Carries a command out, or refuses it and changes nothing.
  /// - Parameter key: makes a repetition of the same command answer with the first one's outcome.
  /// - Returns: what was done, when every reader can see it.
  /// - Throws: the most urgent refusal.
  /// - Complexity: O(items of the command).
  package func execute(_ command: Command, key: IdempotencyKey? = nil) throws(Refusal) -> Execution {
    creationLock.lock()
    let appender = unsafe writer.pointee.appender
    defer {
      // The command's facts are handed to the journal together. Waking it takes a lock and perhaps a system
      // call, and so comes after.
      appender?.endUnit()
      balances.order.drain()
      creationLock.unlock()
      appender?.wakeSleeper()
    }
    if let key, let execution = try replay(key) { return execution }
    let moment = CommandMoment(time: now(), key: key)
    switch command {
    case .postTransaction(let new): return try post(new, moment)
    case .postTransactions(let items, let atomic):
      return atomic ? try postTogether(items, moment) : postEach(items, moment)
    case .createBalance(let new): return try create(new, moment)
    case .createBalances(let items, let atomic):
      return atomic ? try createTogether(items, moment) : createEach(items, moment)
    case .createLedger(let new): return try create(new, moment)
    case .updateLedger(let identifier, let name): return try updateLedger(identifier, name: name, moment)
    case .createIdentity(let new): return try create(new, moment)
    case .updateIdentity(let identifier, let fields):
      return try updateIdentity(identifier, fields: fields, moment)
    case .deleteIdentity(let identifier): return try deleteIdentity(identifier, moment)
    case .setBalanceIdentity(let balance, let identity):
      return try setIdentity(balance: balance, identity: identity, moment)
    case .updateMetadata(let kind, let identifier, let merge):
      return try updateMetadata(kind, identifier, merge: merge, moment)
    }
  }

  /// The clock's time, or that of the last fact if the clock has fallen behind it.
  private func now() -> Microseconds { unsafe max(clock.wallTime(), writer.pointee.lastInstant) }

  /// What the key stands for, if it is remembered.
  private func replay(_ key: IdempotencyKey) throws(Refusal) -> Execution? {
    guard let remembered = unsafe writer.pointee.keys.find(key.text) else { return nil }
    if remembered.contentDigest != key.contentDigest { throw .keyReused(key: key.text) }
    return Execution(outcome: remembered.outcome, position: position, replayed: true)
  }

  /// Makes facts under the locks of the shards they touch, and publishes them before it lets the locks go.
  @inline(__always)
  func change(_ shards: ShardSet, _ makeFacts: () -> Void) {
    unsafe shards.lock(shardLocks, held: &writer.pointee.heldShards)
    makeFacts()
    publish()
    unsafe shards.unlock(shardLocks, held: &writer.pointee.heldShards)
  }

  /// Ends a command whose facts are made: remembers its key.
  @inline(__always)
  func rememberKey(_ moment: CommandMoment, _ outcome: Outcome) {
    guard let key = moment.key else { return }
    append(KeyRemembered(key: key, outcome: outcome, time: moment.time))
  }

  /// The answer to a command whose facts are published.
  @inline(__always)
  func execution(_ outcome: Outcome) -> Execution {
    unsafe Execution(outcome: outcome, position: writer.pointee.position, replayed: false)
  }

  /// An identifier that no row has. Those made here never meet each other, but may meet one that a caller
  /// chose.
  func newIdentifier(at time: Microseconds, _ isTaken: (Identifier) -> Bool) -> Identifier {
    while true {
      let identifier = unsafe writer.pointee.identifiers.next(at: time)
      guard case .uuid(let high, let low) = identifier else { return identifier }
      let foreign = unsafe writer.pointee.greatestForeignUUID
      if (high, low) > (foreign.high, foreign.low) || !isTaken(identifier) { return identifier }
    }
  }

  /// Notes an identifier that was not made here.
  func noteForeign(_ identifier: Identifier) {
    guard case .uuid(let high, let low) = identifier else { return }
    let foreign = unsafe writer.pointee.greatestForeignUUID
    if (high, low) > (foreign.high, foreign.low) {
      unsafe writer.pointee.greatestForeignUUID = StoredIdentifier(high: high, low: low)
    }
  }

  /// The first fact of all books.
  func createGeneralLedger() {
    creationLock.withLock {
      let time = now()
      change(.all) {
        append(
          .ledgerCreated(
            LedgerCreated(
              identifier: .generalLedger, name: "General Ledger", metadata: [], createdAt: time, time: time)))
      }
      unsafe writer.pointee.appender?.endUnit()
    }
  }
}

/// What holds for all facts of one command.
struct CommandMoment {
  let time: Microseconds
  let key: IdempotencyKey?
}

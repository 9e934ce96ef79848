// Transactions are posted: one, each of many, or many together.

import Amounts
import Columns
import Platform

extension Books {
  /// Posts one transaction.
  func post(_ new: NewTransaction, _ moment: CommandMoment) throws(Refusal) -> Execution {
    try unsafe withUnsafePointer(to: new) { (place) throws(Refusal) in
      try post(unsafe AskedTransaction(at: place), moment)
    }
  }

  @inline(__always)
  private func post(_ new: AskedTransaction, _ moment: CommandMoment) throws(Refusal) -> Execution {
    let item: PostedItem
    unsafe writer.pointee.pendingBalances.removeAll()
    let keys = prepare(new, at: moment.time)
    prefetchRows(keys)
    switch try decide(new, keys) {
    case .replay(let row):
      item = PostedItem(row: row, replayed: true)
      if moment.key != nil { change(ShardSet()) { rememberKey(moment, .transaction(item)) } }
    case .post(let posting):
      item = unsafe PostedItem(row: RowIndex(writer.pointee.counts.transactions), replayed: false)
      change(shards(of: posting, new)) {
        makePendingBalances(at: moment.time)
        makeFact(posting, new, batch: nil, at: moment.time)
        rememberKey(moment, .transaction(item))
      }
    }
    return execution(.transaction(item))
  }

  /// Posts the items one by one; a refused one does not keep the others from being posted.
  func postEach(_ items: [NewTransaction], _ moment: CommandMoment) -> Execution {
    AskedTransaction.withAll(of: items) { postEach($0, moment) }
  }

  private func postEach(_ items: AskedTransactions, _ moment: CommandMoment) -> Execution {
    let batch = newBatchIdentifier(at: moment.time)
    var outcomes: [ItemOutcome] = []
    outcomes.reserveCapacity(items.count)
    forEachPrepared(items, at: moment.time) { (_, new, keys) in
      outcomes.append(postItem(new, keys, batch: batch.stored, at: moment.time))
    }
    let outcome = Outcome.transactions(batch: batch.identifier, outcomes)
    if moment.key != nil { change(ShardSet()) { rememberKey(moment, outcome) } }
    return execution(outcome)
  }

  private func postItem(
    _ new: AskedTransaction, _ keys: PostingKeys, batch: StoredIdentifier, at time: Microseconds
  ) -> ItemOutcome {
    unsafe writer.pointee.pendingBalances.removeAll()
    do throws(Refusal) {
      switch try decide(new, keys) {
      case .replay(let row): return .done(PostedItem(row: row, replayed: true))
      case .post(let posting):
        let item = unsafe PostedItem(row: RowIndex(writer.pointee.counts.transactions), replayed: false)
        let shards = shards(of: posting, new)
        unsafe shards.lock(shardLocks, held: &writer.pointee.heldShards)
        makePendingBalances(at: time)
        makeFact(posting, new, batch: batch, at: time)
        publish()
        unsafe shards.unlock(shardLocks, held: &writer.pointee.heldShards)
        return .done(item)
      }
    } catch {
      return .refused(error)
    }
  }

  /// Posts all items or none: each is decided as if those before it were posted, and facts are made when all
  /// stand.
  func postTogether(_ items: [NewTransaction], _ moment: CommandMoment) throws(Refusal) -> Execution {
    try AskedTransaction.withAll(of: items) { (items) throws(Refusal) in try postTogether(items, moment) }
  }

  private func postTogether(_ items: AskedTransactions, _ moment: CommandMoment) throws(Refusal) -> Execution
  {
    unsafe writer.pointee.pendingBalances.removeAll()
    unsafe writer.pointee.overlay.begin(itemCount: items.count)
    defer { unsafe writer.pointee.overlay.end() }
    let batch = newBatchIdentifier(at: moment.time)
    let firstRow = unsafe writer.pointee.counts.transactions
    var outcomes: [ItemOutcome] = []
    outcomes.reserveCapacity(items.count)
    var shards = ShardSet()
    try forEachPrepared(items, at: moment.time) { (index, new, keys) throws(Refusal) in
      switch try decideItem(new, keys, index, of: items) {
      case .replay(let row): outcomes.append(.done(PostedItem(row: row, replayed: true)))
      case .post(let posting):
        let row = unsafe RowIndex(firstRow + writer.pointee.overlay.postings.count)
        outcomes.append(.done(PostedItem(row: row, replayed: false)))
        unsafe writer.pointee.overlay.append(posting, new)
        if let chosen = new.identifier { noteForeign(chosen) }
        shards.insert(posting.source)
        shards.insert(posting.destination)
        if !new.metadata.isEmpty { shards.insert(row) }
      }
    }
    let outcome = Outcome.transactions(batch: batch.identifier, outcomes)
    change(shards) {
      makePendingBalances(at: moment.time)
      let postingCount = unsafe writer.pointee.overlay.postings.count
      for place in 0..<postingCount {
        if place + Self.window < postingCount {
          unsafe prefetch(writer.pointee.overlay.postings[place + Self.window])
        }
        let posting = unsafe writer.pointee.overlay.postings[place]
        makeFact(posting, items[posting.item], batch: batch.stored, at: moment.time)
      }
      rememberKey(moment, outcome)
    }
    return execution(outcome)
  }

  private func decideItem(
    _ new: AskedTransaction, _ keys: PostingKeys, _ index: Int, of items: AskedTransactions
  ) throws(Refusal) -> Decision {
    do throws(Refusal) {
      return try decide(new, keys, item: index, of: items)
    } catch {
      throw .batchItem(index: index, error)
    }
  }

  // MARK: Parts

  private func shards(of posting: Posting, _ new: AskedTransaction) -> ShardSet {
    var shards = ShardSet()
    shards.insert(posting.source)
    shards.insert(posting.destination)
    if !new.metadata.isEmpty { unsafe shards.insert(RowIndex(writer.pointee.counts.transactions)) }
    return shards
  }

  /// Makes the indicator balances that were found missing. Their rows are those that were decided on.
  private func makePendingBalances(at time: Microseconds) {
    if unsafe writer.pointee.pendingBalances.count == 0 { return }
    for name in unsafe writer.pointee.pendingBalances.names {
      append(
        .balanceCreated(
          BalanceCreated(
            identifier: newIdentifier(at: time) { balances.identifiers.writerRow(of: $0) != nil },
            ledger: RowIndex(0), currency: name.currency, identity: nil, indicator: name.indicator,
            currencyMultiplier: 1, tracksFundLineage: false, allocationStrategy: .fifo, metadata: [],
            createdAt: time, time: time)))
    }
    unsafe writer.pointee.pendingBalances.removeAll()
  }

  private func makeFact(
    _ posting: Posting, _ new: AskedTransaction, batch: StoredIdentifier?, at time: Microseconds
  ) {
    let identifier: Identifier
    if let chosen = new.identifier {
      noteForeign(chosen)
      identifier = chosen
    } else {
      identifier = freeIdentifier(posting.newIdentifier, at: time)
    }
    append(
      TransactionPosted(
        identifier: identifier, source: posting.source, destination: posting.destination,
        amount: new.amount, precision: new.precision, status: .applied, allowOverdraft: new.allowOverdraft,
        detail: TransactionDetail(
          reference: new.reference, description: new.description, batch: batch,
          effectiveDate: new.effectiveDate, overdraftLimit: new.overdraftLimit,
          metadataDigest: Metadata.digest(new.metadata)),
        metadata: new.metadata, time: time), referenceHash: posting.referenceHash)
  }

  /// The identifier that was made for a transaction, unless a caller has chosen the same one.
  private func freeIdentifier(_ made: StoredIdentifier, at time: Microseconds) -> Identifier {
    let identifier = Identifier.uuid(high: made.high, low: made.low)
    let foreign = unsafe writer.pointee.greatestForeignUUID
    if (made.high, made.low) > (foreign.high, foreign.low) || !isTaken(identifier) { return identifier }
    return newIdentifier(at: time) { isTaken($0) }
  }

  private func newBatchIdentifier(at time: Microseconds) -> (identifier: Identifier, stored: StoredIdentifier)
  {
    let identifier = unsafe writer.pointee.identifiers.next(at: time)
    guard case .uuid(let high, let low) = identifier else {
      preconditionFailure("a new identifier is a UUID")
    }
    return (identifier, StoredIdentifier(high: high, low: low))
  }
}

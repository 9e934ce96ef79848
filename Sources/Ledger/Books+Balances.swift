// Balances are made, one or many, and given other identities.

import Columns
import Platform

extension Books {
  func create(_ new: NewBalance, _ moment: CommandMoment) throws(Refusal) -> Execution {
    let fact = try decide(new, moment)
    let row = unsafe RowIndex(writer.pointee.counts.balances)
    return carryOut(.balanceCreated(fact), touching: row, .balance(row), moment)
  }

  /// Makes the balances one by one; a refused one does not keep the others from being made.
  func createEach(_ items: [NewBalance], _ moment: CommandMoment) -> Execution {
    var outcomes: [ItemOutcome] = []
    outcomes.reserveCapacity(items.count)
    for item in items {
      do throws(Refusal) {
        let fact = try decide(item, moment)
        let row = unsafe RowIndex(writer.pointee.counts.balances)
        var shards = ShardSet()
        shards.insert(row)
        change(shards) { append(.balanceCreated(fact)) }
        outcomes.append(.done(PostedItem(row: row, replayed: false)))
      } catch {
        outcomes.append(.refused(error))
      }
    }
    let outcome = Outcome.balances(outcomes)
    if moment.key != nil { change(ShardSet()) { rememberKey(moment, outcome) } }
    return execution(outcome)
  }

  /// Makes all balances or none; all become visible together.
  func createTogether(_ items: [NewBalance], _ moment: CommandMoment) throws(Refusal) -> Execution {
    let firstRow = unsafe writer.pointee.counts.balances
    var overlay = NewBalancesOverlay(notesNew: items.contains { $0.identifier != nil })
    var facts: [BalanceCreated] = []
    var outcomes: [ItemOutcome] = []
    facts.reserveCapacity(items.count)
    outcomes.reserveCapacity(items.count)
    var shards = ShardSet()
    for (index, item) in items.enumerated() {
      do throws(Refusal) {
        facts.append(try decide(item, moment, after: overlay))
      } catch {
        throw .batchItem(index: index, error)
      }
      overlay.append(facts[index], isNew: item.identifier == nil)
      let row = RowIndex(firstRow + index)
      shards.insert(row)
      outcomes.append(.done(PostedItem(row: row, replayed: false)))
    }
    let outcome = Outcome.balances(outcomes)
    change(shards) {
      for fact in facts { append(.balanceCreated(fact)) }
      rememberKey(moment, outcome)
    }
    return execution(outcome)
  }

  /// Whether a balance may be made, against the tables and the items before it.
  private func decide(
    _ new: NewBalance, _ moment: CommandMoment, after overlay: NewBalancesOverlay = NewBalancesOverlay()
  ) throws(Refusal) -> BalanceCreated {
    if unsafe writer.pointee.counts.balances + overlay.count >= rowLimit { throw .tableFull(.balance) }
    if let chosen = new.identifier, isTaken(chosen, overlay) {
      throw .identifierTaken(.balance, chosen.text(kind: .balance))
    }
    let ledger = try ledgerRow(new.ledger)
    var identity: RowIndex?
    if let name = new.identity { identity = try identityRow(name) }
    if let indicator = new.indicator {
      if ledger != RowIndex(0) {
        throw .indicatorOutsideGeneralLedger(ledger: new.ledger.text(kind: .ledger))
      }
      if isTaken(indicator, new.currency, overlay) {
        throw .indicatorTaken(indicator: indicator, currency: new.currency)
      }
    }
    if new.tracksFundLineage, identity == nil { throw .lineageWithoutIdentity }
    try checkLength(new.metadata)
    return BalanceCreated(
      identifier: identifier(new.identifier, moment, overlay), ledger: ledger, currency: new.currency,
      identity: identity, indicator: new.indicator, currencyMultiplier: new.currencyMultiplier,
      tracksFundLineage: new.tracksFundLineage, allocationStrategy: new.allocationStrategy,
      metadata: new.metadata, createdAt: new.createdAt ?? moment.time, time: moment.time)
  }

  private func isTaken(_ identifier: Identifier, _ overlay: NewBalancesOverlay) -> Bool {
    overlay.identifiers.contains(identifier) || balances.identifiers.writerRow(of: identifier) != nil
  }

  private func isTaken(_ indicator: String, _ currency: String, _ overlay: NewBalancesOverlay) -> Bool {
    if overlay.indicators.contains(PendingBalances.Name(indicator: indicator, currency: currency)) {
      return true
    }
    guard let indicator = indicators.code(of: indicator), let currency = currencies.code(of: currency) else {
      return false
    }
    return balances.writerRow(indicator: indicator, currency: currency) != nil
  }

  private func identifier(
    _ chosen: Identifier?, _ moment: CommandMoment, _ overlay: NewBalancesOverlay
  ) -> Identifier {
    if let chosen {
      noteForeign(chosen)
      return chosen
    }
    return newIdentifier(at: moment.time) { isTaken($0, overlay) }
  }

  // MARK: Identities of balances

  func setIdentity(
    balance: Identifier, identity: Identifier, _ moment: CommandMoment
  ) throws(Refusal) -> Execution {
    // The identity's absence is the more urgent refusal.
    let identity = try identityRow(identity)
    let row = try balanceRow(balance, role: "balance_id")
    return carryOut(
      .balanceIdentityChanged(BalanceIdentityChanged(balance: row, identity: identity, time: moment.time)),
      touching: row, .balance(row), moment)
  }

  func balanceRow(_ identifier: Identifier, role: String) throws(Refusal) -> RowIndex {
    guard let row = balances.identifiers.writerRow(of: identifier) else {
      throw .balanceNotFound(identifier.text(kind: .balance), role: role)
    }
    return row
  }
}

/// What the earlier items of an atomic batch of balances have taken.
private struct NewBalancesOverlay {
  /// Whether identifiers made here are noted too, because a later item might have chosen the same.
  var notesNew = false
  private(set) var count = 0
  private(set) var identifiers: Set<Identifier> = []
  private(set) var indicators: Set<PendingBalances.Name> = []

  init(notesNew: Bool = false) { self.notesNew = notesNew }

  mutating func append(_ fact: BalanceCreated, isNew: Bool) {
    count += 1
    if !isNew || notesNew { identifiers.insert(fact.identifier) }
    if let indicator = fact.indicator {
      indicators.insert(PendingBalances.Name(indicator: indicator, currency: fact.currency))
    }
  }
}

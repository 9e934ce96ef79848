// Whether a transaction may be posted: the rules, in order of precedence, and no change.

import Amounts
import Columns
import Platform

/// Where a party of a transaction leads.
private enum ResolvedParty {
  case row(RowIndex)
  /// An `@indicator` balance that has to be made first.
  case unmade(PendingBalances.Name)
  case missing
}

extension Books {
  /// Decides on a transaction against the tables and, in an atomic batch, the items before it. Balances that
  /// it needs made are left in `pendingBalances`, also when it is refused.
  /// - Parameters:
  ///   - keys: what `prepare` made of `new`.
  ///   - items: the batch, for comparing with earlier items; `item` is the place of `new` in it.
  func decide(
    _ new: AskedTransaction, _ keys: PostingKeys, item: Int = 0,
    of items: AskedTransactions = AskedTransactions()
  ) throws(Refusal) -> Decision {
    precondition(new.amount.signum > 0, "an amount is more than zero")
    let source = resolve(new.source, hash: keys.source, currency: new.currency)
    let destination = resolve(new.destination, hash: keys.destination, currency: new.currency)
    if let earlier = findReference(new, hash: keys.reference, items: items) {
      return try decideRepetition(new, source, destination, earlier: earlier, items: items)
    }
    try checkRoom(source, destination)
    if let identifier = new.identifier, isTaken(identifier) {
      throw .identifierTaken(.transaction, identifier.text(kind: .transaction))
    }
    try checkParties(new, source, destination)
    if new.metadata.count > Metadata.byteLimit {
      throw .metadataTooLong(byteCount: new.metadata.count, limit: Metadata.byteLimit)
    }
    let posting = Posting(
      item: item, source: row(source), destination: row(destination), referenceHash: keys.reference,
      newIdentifier: keys.newIdentifier)
    if posting.source == posting.destination { throw .sameBalance(Self.text(new.source)) }
    try checkCurrencies(new, posting)
    try checkFunds(new, posting.source)
    return .post(posting)
  }

  // MARK: Parties

  private func resolve(_ party: Party, hash: UInt64, currency: String) -> ResolvedParty {
    switch party {
    case .balance(let identifier):
      guard let row = balances.identifiers.writerRow(of: identifier, hash: hash) else { return .missing }
      return .row(row)
    case .indicator(let indicator):
      if unsafe writer.pointee.lastIndicator.indicator == indicator,
        unsafe writer.pointee.lastIndicator.currency == currency
      {
        return unsafe .row(writer.pointee.lastIndicator.row)
      }
      if let indicatorCode = indicators.code(of: indicator), let currencyCode = currencies.code(of: currency),
        let row = balances.writerRow(indicator: indicatorCode, currency: currencyCode)
      {
        unsafe writer.pointee.lastIndicator = (indicator, currency, row)
        return .row(row)
      }
      let name = PendingBalances.Name(indicator: indicator, currency: currency)
      if let place = unsafe writer.pointee.pendingBalances.place(of: name) {
        return .row(pendingRow(place))
      }
      return .unmade(name)
    }
  }

  private func pendingRow(_ place: Int) -> RowIndex {
    unsafe RowIndex(writer.pointee.counts.balances + place)
  }

  /// The row of a party that is not missing; one that must be made is entered for making.
  private func row(_ party: ResolvedParty) -> RowIndex {
    switch party {
    case .row(let row): return row
    case .unmade(let name):
      if let place = unsafe writer.pointee.pendingBalances.place(of: name) { return pendingRow(place) }
      unsafe writer.pointee.pendingBalances.append(name)
      return unsafe pendingRow(writer.pointee.pendingBalances.count - 1)
    case .missing: preconditionFailure("a missing party was refused")
    }
  }

  private func checkParties(
    _ new: AskedTransaction, _ source: ResolvedParty, _ destination: ResolvedParty
  ) throws(Refusal) {
    if case .missing = source { throw .balanceNotFound(Self.text(new.source), role: "source") }
    if case .missing = destination {
      throw .balanceNotFound(Self.text(new.destination), role: "destination")
    }
  }

  private func checkRoom(_ source: ResolvedParty, _ destination: ResolvedParty) throws(Refusal) {
    let (transactionCount, balanceCount) = unsafe (
      writer.pointee.counts.transactions + (isBatchDecided ? writer.pointee.overlay.postings.count : 0),
      writer.pointee.counts.balances + writer.pointee.pendingBalances.count
    )
    if transactionCount >= rowLimit { throw .tableFull(.transaction) }
    var unmadeCount = 0
    if case .unmade = source { unmadeCount += 1 }
    if case .unmade = destination { unmadeCount += 1 }
    if unmadeCount > 0, balanceCount + unmadeCount > rowLimit { throw .tableFull(.balance) }
  }

  private var isBatchDecided: Bool { unsafe writer.pointee.overlay.isActive }

  /// A party as the caller named it.
  static func text(_ party: Party) -> String {
    switch party {
    case .balance(let identifier): identifier.text(kind: .balance)
    case .indicator(let indicator): indicator
    }
  }

  /// Whether a transaction has that identifier, or an item of the batch at hand has chosen it.
  func isTaken(_ identifier: Identifier) -> Bool {
    if transactions.identifiers.writerRow(of: identifier) != nil { return true }
    return unsafe isBatchDecided && writer.pointee.overlay.contains(identifier)
  }

  // MARK: Currency, funds

  /// Whether a row exists or is only decided.
  func isMade(_ row: RowIndex) -> Bool { unsafe row.index < writer.pointee.counts.balances }

  /// The currency of a balance, by its group: a posting needs the group anyway, and the groups are few.
  func currency(of row: RowIndex) -> TextCode { groups.currency(of: balances.groups[row]) }

  private func checkCurrencies(_ new: AskedTransaction, _ posting: Posting) throws(Refusal) {
    try checkCurrency(new, new.source, posting.source, role: "source")
    // One comparison of codes is enough when both balances have the same.
    if isMade(posting.source), isMade(posting.destination),
      currency(of: posting.source) == currency(of: posting.destination)
    {
      return
    }
    try checkCurrency(new, new.destination, posting.destination, role: "destination")
  }

  private func checkCurrency(
    _ new: AskedTransaction, _ party: Party, _ row: RowIndex, role: String
  ) throws(Refusal) {
    guard case .balance = party else { return }
    let code = currency(of: row)
    if currencies.isText(of: code, new.currency) { return }
    throw .currencyMismatch(
      balance: Self.text(party), balanceCurrency: currencies.text(of: code) ?? "",
      transactionCurrency: new.currency, role: role)
  }

  private func checkFunds(_ new: AskedTransaction, _ source: RowIndex) throws(Refusal) {
    if new.allowOverdraft, new.overdraftLimit == nil { return }
    var available = isMade(source) ? balances.available(source) : .zero
    if isBatchDecided { unsafe available += writer.pointee.overlay.change(of: source) }
    if available >= new.amount { return }
    guard let limit = new.overdraftLimit else {
      throw .insufficientFunds(
        balance: Self.text(new.source), available: available, requested: new.amount)
    }
    if available - new.amount >= -limit { return }
    throw .overdraftExceeded(
      balance: Self.text(new.source), available: available, requested: new.amount, limit: limit)
  }

  // MARK: References

  /// Where a reference stands already.
  private enum Earlier {
    case row(RowIndex)
    /// The place among the postings of the atomic batch at hand.
    case posting(Int)
  }

  private func findReference(
    _ new: AskedTransaction, hash: UInt64, items: AskedTransactions
  ) -> Earlier? {
    let reference = new.reference
    if let row = transactions.writerRow(reference: reference, hash: hash) { return .row(row) }
    guard isBatchDecided else { return nil }
    let place = unsafe writer.pointee.overlay.place(referenceHash: hash) { posting in
      items[posting.item].reference == reference
    }
    return place.map { .posting($0) }
  }

  /// A replay if the content is the same; otherwise the most urgent refusal.
  private func decideRepetition(
    _ new: AskedTransaction, _ source: ResolvedParty, _ destination: ResolvedParty, earlier: Earlier,
    items: AskedTransactions
  ) throws(Refusal) -> Decision {
    let content = content(of: earlier, items: items)
    let differences = content.differences(
      from: new, source: Self.existing(source), destination: Self.existing(destination))
    if differences.isEmpty { return .replay(content.row) }
    if let identifier = new.identifier, identifier != content.identifier, isTaken(identifier) {
      throw .identifierTaken(.transaction, identifier.text(kind: .transaction))
    }
    try checkParties(new, source, destination)
    if new.metadata.count > Metadata.byteLimit {
      throw .metadataTooLong(byteCount: new.metadata.count, limit: Metadata.byteLimit)
    }
    throw .duplicateReference(
      new.reference, transaction: content.identifier?.text(kind: .transaction) ?? "",
      differences: differences)
  }

  private static func existing(_ party: ResolvedParty) -> RowIndex? {
    if case .row(let row) = party { return row }
    return nil
  }

  private func content(of earlier: Earlier, items: AskedTransactions) -> TransactionContent {
    switch earlier {
    case .row(let row):
      let source = transactions.source(row)
      return TransactionContent(
        row: row, identifier: transactions.identifiers[row], source: source,
        destination: transactions.destination(row),
        currency: currencies.text(of: balances.currencies[source]) ?? "",
        amount: transactions.amount(row), allowOverdraft: transactions.allowsOverdraft(row),
        detail: transactions.detail(row))
    case .posting(let place):
      let posting = unsafe writer.pointee.overlay.postings[place]
      let item = items[posting.item]
      return TransactionContent(
        row: unsafe RowIndex(writer.pointee.counts.transactions + place), identifier: item.identifier,
        source: posting.source, destination: posting.destination, currency: item.currency,
        amount: item.amount, allowOverdraft: item.allowOverdraft,
        detail: TransactionDetail(
          reference: item.reference, description: item.description, effectiveDate: item.effectiveDate,
          overdraftLimit: item.overdraftLimit, metadataDigest: Metadata.digest(item.metadata)))
    }
  }
}

/// What a reference stands for.
private struct TransactionContent {
  var row: RowIndex
  /// Nil for an earlier item of the batch that has none yet.
  var identifier: Identifier?
  var source: RowIndex
  var destination: RowIndex
  var currency: String
  var amount: Amount
  var allowOverdraft: Bool
  var detail: TransactionDetail

  /// The members, as on the wire, in which a transaction with the same reference differs.
  func differences(
    from new: AskedTransaction, source: RowIndex?, destination: RowIndex?
  ) -> [String] {
    var names: [String] = []
    if let wanted = new.identifier, wanted != identifier { names.append("transaction_id") }
    if source != self.source { names.append("source") }
    if destination != self.destination { names.append("destination") }
    if new.currency != currency { names.append("currency") }
    if new.amount != amount { names.append("precise_amount") }
    if new.allowOverdraft != allowOverdraft { names.append("allow_overdraft") }
    if new.overdraftLimit != detail.overdraftLimit { names.append("overdraft_limit") }
    if new.effectiveDate != detail.effectiveDate { names.append("effective_date") }
    if new.description != detail.description { names.append("description") }
    if Metadata.digest(new.metadata) != detail.metadataDigest { names.append("meta_data") }
    return names
  }
}

/// Bounds and digests of metadata.
package enum Metadata {
  /// Bytes of a compact JSON object, at most.
  package static let byteLimit = 64 << 10

  /// XXH3 of metadata, nil for `{}`.
  static func digest(_ metadata: [UInt8]) -> UInt64? { metadata.isEmpty ? nil : Checksum.xxh3(metadata) }
}

// Params of transactions.create and create_many as transactions that the books can be asked for.

import Amounts
import Ledger
import Platform

/// Members of a transaction that is asked for.
enum TransactionMember: String, NameSet {
  case transactionID = "transaction_id"
  case source, destination, currency, reference, amount, precision, description
  case preciseAmount = "precise_amount"
  case allowOverdraft = "allow_overdraft"
  case overdraftLimit = "overdraft_limit"
  case effectiveDate = "effective_date"
  case metadata = "meta_data"
  // Of later versions.
  case sources, destinations, rate, inflight
  case inflightExpiryDate = "inflight_expiry_date"
  case inflightCommitDate = "inflight_commit_date"
  case scheduledFor = "scheduled_for"
  case dryRun = "dry_run"

  static let table = MemberTable<TransactionMember>()
  /// What a client may write.
  static let supported = allCases.prefix(13).map(\.rawValue)
}

/// Members of a batch of transactions.
enum TransactionBatchMember: String, NameSet {
  case transactions, atomic
  case replies = "return"
  // Of later versions.
  case inflight
  case dryRun = "dry_run"

  static let table = MemberTable<TransactionBatchMember>()
  static let supported = allCases.prefix(3).map(\.rawValue)
}

/// The members read so far, before it is known whether they fit together.
private struct TransactionDraft {
  var identifier: Identifier?
  var source: Party?
  var destination: Party?
  var currency: String?
  var reference: String?
  var amount: DecimalAmount?
  var preciseAmount: Amount?
  var precision: Int64 = 1
  var description: String?
  var allowOverdraft = false
  var overdraftLimit: DecimalAmount?
  var effectiveDate: Microseconds?
  var metadata: [UInt8] = []
  /// Members that were written with a value, right or wrong, one bit each.
  var seen: UInt32 = 0
  var amountOffset = 0
  var limitOffset = 0
  var destinationOffset = 0

  func has(_ member: Seen) -> Bool { seen & member.rawValue != 0 }

  enum Seen: UInt32 {
    case source = 1
    case destination = 2
    case currency = 4
    case reference = 8
    case amount = 16
    case preciseAmount = 32
    case precision = 64
  }
}

extension ParamsReader {
  /// A transaction, nil if something is wrong with it. O(bytes).
  @inline(__always)
  mutating func transaction(_ object: JSONValue) -> NewTransaction? {
    var draft = TransactionDraft()
    let names = TransactionMember.table
    var members = object.members
    while let member = members.next() {
      guard let name = names[member.key] else {
        unknown(member.key, allowed: TransactionMember.supported)
        continue
      }
      read(name, member.value, into: &draft)
    }
    return finish(&draft, object.offset)
  }

  @inline(__always)
  private mutating func read(
    _ name: TransactionMember, _ value: JSONValue, into draft: inout TransactionDraft
  ) {
    switch name {
    case .transactionID: draft.identifier = identifier(value, "transaction_id", .transaction)
    case .source:
      note(.source, value, &draft)
      draft.source = party(value, "source")
    case .destination:
      note(.destination, value, &draft)
      draft.destinationOffset = value.offset
      draft.destination = party(value, "destination")
    case .currency:
      note(.currency, value, &draft)
      draft.currency = currency(value)
    case .reference:
      note(.reference, value, &draft)
      draft.reference = text(value, "reference", limit: WireLimit.referenceBytes)
    case .amount:
      note(.amount, value, &draft)
      draft.amountOffset = value.offset
      draft.amount = decimal(value, "amount")
    case .preciseAmount:
      note(.preciseAmount, value, &draft)
      draft.preciseAmount = positiveAmount(value, "precise_amount")
    case .precision:
      if let precision = integer(value, "precision", 1...Int64.max) {
        draft.precision = precision
      } else if value.kind != .null {
        note(.precision, value, &draft)
      }
    case .description, .allowOverdraft, .overdraftLimit, .effectiveDate, .metadata:
      readOptional(name, value, into: &draft)
    case .sources, .destinations, .rate, .inflight, .inflightExpiryDate, .inflightCommitDate, .scheduledFor,
      .dryRun:
      unsupported(value, name.rawValue)
    }
  }

  private mutating func readOptional(
    _ name: TransactionMember, _ value: JSONValue, into draft: inout TransactionDraft
  ) {
    switch name {
    case .description:
      draft.description = text(
        value, "description", limit: WireLimit.descriptionBytes, allowsEmpty: true, allowsNUL: true)
    case .allowOverdraft: draft.allowOverdraft = boolean(value, "allow_overdraft") ?? false
    case .overdraftLimit:
      draft.limitOffset = value.offset
      draft.overdraftLimit = decimal(value, "overdraft_limit")
    case .effectiveDate: draft.effectiveDate = time(value, "effective_date")
    case .metadata: draft.metadata = metadata(value) ?? []
    default: preconditionFailure("\(name) is read elsewhere")
    }
  }

  @inline(__always)
  private func note(
    _ member: TransactionDraft.Seen, _ value: JSONValue, _ draft: inout TransactionDraft
  ) {
    if value.kind != .null { draft.seen |= member.rawValue }
  }

  /// Whether the members fit together; the transaction if so.
  private mutating func finish(_ draft: inout TransactionDraft, _ offset: Int) -> NewTransaction? {
    let amount = minorUnits(draft, offset)
    let limit = overdraftLimit(draft)
    if let source = draft.source, source == draft.destination {
      faults.add("source and destination are the same balance", at: draft.destinationOffset)
    }
    if let source = draft.source, let destination = draft.destination, let currency = draft.currency,
      let reference = draft.reference, let amount, faults.isEmpty
    {
      return NewTransaction(
        identifier: draft.identifier, source: source, destination: destination, amount: amount,
        precision: draft.precision, currency: currency, reference: reference,
        description: draft.description, allowOverdraft: draft.allowOverdraft, overdraftLimit: limit,
        effectiveDate: draft.effectiveDate, metadata: draft.metadata)
    }
    if !draft.has(.source) { faults.addMissing("source", in: offset) }
    if !draft.has(.destination) { faults.addMissing("destination", in: offset) }
    if !draft.has(.currency) { faults.addMissing("currency", in: offset) }
    if !draft.has(.reference) { faults.addMissing("reference", in: offset) }
    return nil
  }

  /// The amount from the one of the two members that was given.
  @inline(__always)
  private mutating func minorUnits(_ draft: TransactionDraft, _ offset: Int) -> Amount? {
    switch (draft.has(.preciseAmount), draft.has(.amount)) {
    case (true, false): return draft.preciseAmount
    case (false, true): return scaledAmount(draft)
    case (true, true):
      faults.add("amount and precise_amount are both given; one of them says it", at: draft.amountOffset)
    case (false, false):
      faults.add(
        ParamsFault(
          text: "amount or precise_amount is required", offset: offset, member: "precise_amount"))
    }
    return nil
  }

  private mutating func scaledAmount(_ draft: TransactionDraft) -> Amount? {
    guard let decimal = draft.amount, !draft.has(.precision) else { return nil }
    if decimal.unscaled.signum <= 0 {
      faults.add("amount must be more than 0", at: draft.amountOffset)
      return nil
    }
    let amount = decimal.scaled(by: Amount(draft.precision))
    if amount.isZero {
      faults.add(
        "amount rounds to 0 minor units at precision \(draft.precision); it must be more than 0",
        at: draft.amountOffset)
      return nil
    }
    return inBound(amount, "amount", draft.precision, draft.amountOffset)
  }

  /// The limit in minor units. Zero is the same as none.
  private mutating func overdraftLimit(_ draft: TransactionDraft) -> Amount? {
    guard let decimal = draft.overdraftLimit, !draft.has(.precision) else { return nil }
    if decimal.unscaled.isNegative {
      faults.add("overdraft_limit must be 0 or more", at: draft.limitOffset)
      return nil
    }
    let limit = decimal.scaled(by: Amount(draft.precision))
    return limit.isZero ? nil : inBound(limit, "overdraft_limit", draft.precision, draft.limitOffset)
  }

  private mutating func inBound(
    _ amount: Amount, _ name: String, _ precision: Int64, _ offset: Int
  ) -> Amount? {
    if amount.int128 != nil || amount.digitCount <= Amount.maximumDigits { return amount }
    faults.add(
      "\(name) at precision \(precision) has \(amount.digitCount) digits; "
        + "at most \(Amount.maximumDigits) are accepted", at: offset)
    return nil
  }

  // MARK: Batches

  /// The command of `transactions.create_many`, nil if something is wrong.
  mutating func transactionBatch(_ params: JSONValue, _ reply: inout WriteReply) -> Command? {
    var transactions: [NewTransaction]?
    var isAtomic = false
    var count = 0
    var listOffset = params.offset
    var members = params.members
    while let member = members.next() {
      switch TransactionBatchMember.table[member.key] {
      case .transactions:
        listOffset = member.value.offset
        count = member.value.count
        transactions = self.transactions(member.value)
      case .atomic: isAtomic = boolean(member.value, "atomic") ?? false
      case .replies: reply.itemReply = itemReply(member.value) ?? .ids
      case .inflight: unsupported(member.value, "inflight")
      case .dryRun: unsupported(member.value, "dry_run")
      case nil: unknown(member.key, allowed: TransactionBatchMember.supported)
      }
    }
    guard let transactions else {
      faults.addMissing("transactions", in: params.offset)
      return nil
    }
    if isAtomic && count > WireLimit.atomicTransactions {
      faults.add(
        "transactions has \(count) entries; an atomic batch has at most \(WireLimit.atomicTransactions)",
        at: listOffset)
    }
    return faults.isEmpty ? .postTransactions(transactions, atomic: isAtomic) : nil
  }

  /// Nil for null only; what is wrong is left out and noted.
  private mutating func transactions(_ list: JSONValue) -> [NewTransaction]? {
    guard let count = entryCount(list, "transactions") else { return list.kind == .null ? nil : [] }
    var transactions: [NewTransaction] = []
    transactions.reserveCapacity(count)
    var elements = list.elements
    while let element = elements.next() {
      if element.kind != .object {
        faults.add("a transaction must be an object, found \(Self.shown(element))", at: element.offset)
      } else if let transaction = transaction(element) {
        transactions.append(transaction)
      }
    }
    return transactions
  }

  /// The number of entries of a list that must have one at least; nil if it is not such a list.
  mutating func entryCount(_ list: JSONValue, _ name: StaticString) -> Int? {
    if list.kind == .null { return nil }
    guard list.kind == .array else {
      wrong(list, "\(name)", "an array")
      return nil
    }
    if list.count == 0 {
      faults.add("\(name) is empty", at: list.offset)
      return nil
    }
    return list.count
  }

  private mutating func itemReply(_ value: JSONValue) -> WriteReply.ItemReply? {
    if value.kind == .null { return nil }
    if value.equals("none") { return WriteReply.ItemReply.none }
    if value.equals("ids") { return .ids }
    if value.equals("full") { return .full }
    faults.add(
      "return must be none, ids or full, found \(Self.shown(value))", at: value.offset,
      allowed: ["none", "ids", "full"])
    return nil
  }
}

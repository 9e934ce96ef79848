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

/// What was read so far of a transaction and is not in it yet: amounts wait for the precision.
private struct TransactionDraft {
  var amount: DecimalAmount?
  var overdraftLimit: DecimalAmount?
  /// Members that were written with a value, one bit each.
  var seen: UInt32 = 0
  var amountOffset = 0
  var limitOffset = 0
  var destinationOffset = 0

  func has(_ member: Seen) -> Bool { seen & member.rawValue != 0 }

  mutating func note(_ member: Seen, if isNoted: Bool = true) {
    if isNoted { seen |= member.rawValue }
  }

  /// Those that must be there, right or wrong, and those that matter only when they are right.
  enum Seen: UInt32 {
    case source = 1
    case destination = 2
    case currency = 4
    case reference = 8
    case amount = 16
    case preciseAmount = 32
    /// A precision that is none.
    case wrongPrecision = 64
    case rightSource = 128
    case rightDestination = 256
  }
}

extension NewTransaction {
  /// What is read into: no member is set that has no default.
  static let blank = NewTransaction(
    source: .indicator(""), destination: .indicator(""), amount: .zero, currency: "", reference: "")
}

extension ParamsReader {
  /// Reads a transaction into a blank one, where it stays: copying one costs as much as reading half of it.
  /// O(bytes).
  /// - Returns: whether nothing is wrong, here and before.
  @inline(__always)
  mutating func transaction(_ object: JSONValue, into new: inout NewTransaction) -> Bool {
    var draft = TransactionDraft()
    let names = TransactionMember.table
    var members = object.members
    while let member = members.next() {
      guard let name = names[member.key] else {
        unknown(member.key, allowed: TransactionMember.supported)
        continue
      }
      read(name, member.value, into: &new, &draft)
    }
    return finish(&new, draft, object.offset)
  }

  @inline(__always)
  private mutating func read(
    _ name: TransactionMember, _ value: JSONValue, into new: inout NewTransaction,
    _ draft: inout TransactionDraft
  ) {
    let isGiven = value.kind != .null
    switch name {
    case .transactionID: new.identifier = identifier(value, "transaction_id", .transaction)
    case .source:
      draft.note(.source, if: isGiven)
      if let party = party(value, "source") {
        new.source = party
        draft.note(.rightSource)
      }
    case .destination:
      draft.note(.destination, if: isGiven)
      draft.destinationOffset = value.offset
      if let party = party(value, "destination") {
        new.destination = party
        draft.note(.rightDestination)
      }
    case .currency:
      draft.note(.currency, if: isGiven)
      if let currency = currency(value) { new.currency = currency }
    case .reference:
      draft.note(.reference, if: isGiven)
      if let reference = text(value, "reference", limit: WireLimit.referenceBytes) {
        new.reference = reference
      }
    case .preciseAmount:
      draft.note(.preciseAmount, if: isGiven)
      if let amount = positiveAmount(value, "precise_amount") { new.amount = amount }
    case .amount, .precision, .description, .allowOverdraft, .overdraftLimit, .effectiveDate, .metadata:
      readOptional(name, value, into: &new, &draft)
    case .sources, .destinations, .rate, .inflight, .inflightExpiryDate, .inflightCommitDate, .scheduledFor,
      .dryRun:
      unsupported(value, name.rawValue)
    }
  }

  private mutating func readOptional(
    _ name: TransactionMember, _ value: JSONValue, into new: inout NewTransaction,
    _ draft: inout TransactionDraft
  ) {
    switch name {
    case .amount:
      draft.note(.amount, if: value.kind != .null)
      draft.amountOffset = value.offset
      draft.amount = decimal(value, "amount")
    case .precision:
      if let precision = integer(value, "precision", 1...Int64.max) {
        new.precision = precision
      } else {
        draft.note(.wrongPrecision, if: value.kind != .null)
      }
    case .description:
      new.description = text(
        value, "description", limit: WireLimit.descriptionBytes, allowsEmpty: true, allowsNUL: true)
    case .allowOverdraft: new.allowOverdraft = boolean(value, "allow_overdraft") ?? false
    case .overdraftLimit:
      draft.limitOffset = value.offset
      draft.overdraftLimit = decimal(value, "overdraft_limit")
    case .effectiveDate: new.effectiveDate = time(value, "effective_date")
    case .metadata: new.metadata = metadata(value) ?? []
    default: preconditionFailure("\(name) is read elsewhere")
    }
  }

  /// Whether the members fit together; sets the amounts.
  @inline(__always)
  private mutating func finish(
    _ new: inout NewTransaction, _ draft: borrowing TransactionDraft, _ offset: Int
  ) -> Bool {
    finishAmount(&new, draft, offset)
    if draft.overdraftLimit != nil { finishLimit(&new, draft) }
    if draft.has(.rightSource), draft.has(.rightDestination), new.source == new.destination {
      faults.add("source and destination are the same balance", at: draft.destinationOffset)
    }
    if !draft.has(.source) { faults.addMissing("source", in: offset) }
    if !draft.has(.destination) { faults.addMissing("destination", in: offset) }
    if !draft.has(.currency) { faults.addMissing("currency", in: offset) }
    if !draft.has(.reference) { faults.addMissing("reference", in: offset) }
    return faults.isEmpty
  }

  /// The amount from the one of the two members that was given.
  @inline(__always)
  private mutating func finishAmount(
    _ new: inout NewTransaction, _ draft: borrowing TransactionDraft, _ offset: Int
  ) {
    switch (draft.has(.preciseAmount), draft.has(.amount)) {
    case (true, false): break
    case (false, true): if let amount = scaledAmount(draft, new.precision) { new.amount = amount }
    case (true, true):
      faults.add("amount and precise_amount are both given; one of them says it", at: draft.amountOffset)
    case (false, false):
      faults.add(
        ParamsFault(
          text: "amount or precise_amount is required", offset: offset, member: "precise_amount"))
    }
  }

  private mutating func scaledAmount(_ draft: borrowing TransactionDraft, _ precision: Int64) -> Amount? {
    guard let decimal = draft.amount, !draft.has(.wrongPrecision) else { return nil }
    if decimal.unscaled.signum <= 0 {
      faults.add("amount must be more than 0", at: draft.amountOffset)
      return nil
    }
    let amount = decimal.scaled(by: Amount(precision))
    if amount.isZero {
      faults.add(
        "amount rounds to 0 minor units at precision \(precision); it must be more than 0",
        at: draft.amountOffset)
      return nil
    }
    return inBound(amount, "amount", precision, draft.amountOffset)
  }

  /// The limit in minor units. Zero is the same as none.
  private mutating func finishLimit(_ new: inout NewTransaction, _ draft: borrowing TransactionDraft) {
    guard let decimal = draft.overdraftLimit, !draft.has(.wrongPrecision) else { return }
    if decimal.unscaled.isNegative {
      return faults.add("overdraft_limit must be 0 or more", at: draft.limitOffset)
    }
    let limit = decimal.scaled(by: Amount(new.precision))
    if !limit.isZero {
      new.overdraftLimit = inBound(limit, "overdraft_limit", new.precision, draft.limitOffset)
    }
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
        continue
      }
      transactions.append(.blank)
      if !transaction(element, into: &transactions[transactions.count - 1]) { transactions.removeLast() }
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

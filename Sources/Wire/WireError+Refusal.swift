// Refusals of the books as error answers: code, text and figures.

import Amounts
import Ledger

extension WireError {
  /// - Parameter items: the member with the items of a batch, `transactions` or `balances`; nil for others.
  package init(_ refusal: Refusal, items: String? = nil) {
    self.init(refusal, at: "/params", items: items)
  }

  /// The refusal of a write.
  package init(_ refusal: Refusal, to reply: WriteReply) {
    self.init(refusal, items: reply.items)
    // Here one member names entities of any kind.
    if reply.method == .metadataUpdate, code == .notFound {
      members.removeAll { $0.name == "path" }
      members.append(Member("path", text: "/params/id"))
    }
  }

  /// An item of a batch that is not atomic, as `results` has it.
  init(item refusal: Refusal, index: Int, items: String) {
    self.init(refusal, at: "/params/\(items)/\(index)", items: nil)
  }

  private init(_ refusal: Refusal, at place: String, items: String?) {
    switch refusal {
    case .batchItem(let index, let inner):
      let items = items ?? "transactions"
      self.init(inner, at: "/params/\(items)/\(index)", items: nil)
      message = "\(items)[\(index)]: \(message)"
      members.append(Member("index", json: String(index)))
      if !members.contains(where: { $0.name == "path" }) {
        members.append(Member("path", text: "/params/\(items)/\(index)"))
      }
    case .ledgerNotFound, .identityNotFound, .balanceNotFound, .transactionNotFound:
      self.init(missing: refusal, at: place)
    case .keyReused, .identifierTaken, .indicatorTaken, .identityInUse, .duplicateReference:
      self.init(conflict: refusal, at: place)
    case .tableFull, .currencyMismatch, .insufficientFunds, .overdraftExceeded:
      self.init(rule: refusal, at: place)
    case .indicatorOutsideGeneralLedger, .lineageWithoutIdentity, .metadataTooLong, .sameBalance:
      self.init(invalid: refusal, at: place)
    }
  }

  // MARK: Nothing has that name

  static func missing(_ kind: EntityKind, _ text: String, path: String? = nil) -> WireError {
    let (code, noun, member) =
      switch kind {
      case .ledger: ("LGR_NOT_FOUND", "ledger", "ledger_id")
      case .balance: ("BAL_NOT_FOUND", "balance", "balance_id")
      case .transaction: ("TXN_NOT_FOUND", "transaction", "transaction_id")
      case .identity: ("IDT_NOT_FOUND", "identity", "identity_id")
      case .batch: ("GEN_NOT_FOUND", "batch", "batch_id")
      }
    let place = path.map { [Member("path", text: $0)] } ?? []
    return .notFound(code, "no \(noun) has the id \(text)", [Member(member, text: text)] + place)
  }

  private init(missing refusal: Refusal, at place: String) {
    switch refusal {
    case .ledgerNotFound(let id): self = .missing(.ledger, id, path: place + "/ledger_id")
    case .identityNotFound(let id): self = .missing(.identity, id, path: place + "/identity_id")
    case .balanceNotFound(let id, let role): self = .missing(.balance, id, path: "\(place)/\(role)")
    case .transactionNotFound(let id): self = .missing(.transaction, id, path: place + "/transaction_id")
    default: preconditionFailure("\(refusal) is not about something missing")
    }
  }

  // MARK: Conflicts

  private init(conflict refusal: Refusal, at place: String) {
    switch refusal {
    case .keyReused(let key):
      self.init(
        .conflict, "KEY_REUSED", "the key \(key) stands for a request with other params",
        [Member("key", text: key), Member("path", text: "/key")])
    case .identifierTaken(let kind, let id):
      let (code, member) = Self.duplicate(kind)
      self.init(
        .conflict, code, "the id \(id) is taken",
        [Member(member, text: id), Member("path", text: "\(place)/\(member)")])
    case .indicatorTaken(let indicator, let currency):
      self.init(
        .conflict, "BAL_DUPLICATE", "a balance for indicator \(indicator) and currency \(currency) exists",
        [
          Member("indicator", text: indicator), Member("currency", text: currency),
          Member("path", text: place + "/indicator"),
        ])
    case .identityInUse(let id, let balanceCount):
      self.init(
        .conflict, "IDT_IN_USE", "the identity \(id) belongs to \(balanceCount) balances",
        [Member("identity_id", text: id), Member("balance_count", json: String(balanceCount))])
    case .duplicateReference(let reference, let transaction, let differences):
      // An earlier item of the same atomic batch has no id as long as the batch does not stand.
      let holder = transaction.isEmpty ? "an earlier item of this batch" : transaction
      self.init(
        .conflict, "TXN_DUPLICATE_REFERENCE",
        "the reference \(reference) stands for \(holder), which differs in "
          + differences.joined(separator: ", "),
        [
          Member("reference", text: reference),
          transaction.isEmpty
            ? Member("transaction_id", json: "null") : Member("transaction_id", text: transaction),
          Member("differences", texts: differences), Member("path", text: place + "/reference"),
        ])
    default: preconditionFailure("\(refusal) is no conflict")
    }
  }

  private static func duplicate(_ kind: EntityKind) -> (code: String, member: String) {
    switch kind {
    case .ledger: ("LGR_DUPLICATE", "ledger_id")
    case .balance: ("BAL_DUPLICATE", "balance_id")
    case .transaction: ("TXN_DUPLICATE", "transaction_id")
    case .identity: ("IDT_DUPLICATE", "identity_id")
    case .batch: ("GEN_CONFLICT", "batch_id")
    }
  }

  // MARK: Rules of the books

  private init(rule refusal: Refusal, at place: String) {
    switch refusal {
    case .tableFull(let kind):
      self.init(.refused, "TABLE_FULL", "no more rows of this kind can be numbered (\(kind))")
    case .currencyMismatch(let balance, let balanceCurrency, let currency, let role):
      self.init(
        .refused, "CURRENCY_MISMATCH",
        "\(role) \(balance) is in \(balanceCurrency), the transaction in \(currency)",
        [
          Member("balance_id", text: balance), Member("balance_currency", text: balanceCurrency),
          Member("currency", text: currency), Member("path", text: "\(place)/\(role)"),
        ])
    case .insufficientFunds(let balance, let available, let requested):
      self.init(
        .refused, "TXN_INSUFFICIENT_FUNDS",
        "insufficient funds in source balance: \(available) available, \(requested) requested",
        Self.figures(balance, available, requested) + [Member("path", text: place + "/source")])
    case .overdraftExceeded(let balance, let available, let requested, let limit):
      self.init(
        .refused, "TXN_OVERDRAFT_EXCEEDED",
        "transaction exceeds overdraft limit: \(available) available, \(requested) requested, "
          + "\(limit) may be overdrawn",
        Self.figures(balance, available, requested)
          + [Member("overdraft_limit", text: "\(limit)"), Member("path", text: place + "/source")])
    default: preconditionFailure("\(refusal) is no rule of the books")
    }
  }

  private static func figures(_ balance: String, _ available: Amount, _ requested: Amount) -> [Member] {
    [
      Member("balance_id", text: balance), Member("available", text: "\(available)"),
      Member("requested", text: "\(requested)"),
    ]
  }

  // MARK: Params that only the books can judge

  private init(invalid refusal: Refusal, at place: String) {
    let text: String
    let member: String
    switch refusal {
    case .indicatorOutsideGeneralLedger(let ledger):
      text = "indicator is only for balances of general_ledger_id, not of \(ledger)"
      member = "indicator"
    case .lineageWithoutIdentity:
      text = "identity_id is required when track_fund_lineage is true"
      member = "track_fund_lineage"
    case .metadataTooLong(let byteCount, let limit):
      text = "meta_data would have \(byteCount) bytes; at most \(limit) are accepted"
      member = "meta_data"
    case .sameBalance(let balance):
      text = "source and destination are the same balance, \(balance)"
      member = "destination"
    default: preconditionFailure("\(refusal) is not about params")
    }
    self.init(
      .invalidParams, "GEN_VALIDATION_ERROR", text,
      [Member("errors", texts: [text]), Member("path", text: "\(place)/\(member)")])
  }
}

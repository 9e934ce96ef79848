// A naive twin of the books that knows nothing but the change stream.

import Amounts
import LedgerlineClient

/// Applies changes, one whole command at a time, and says what the balances are.
struct BooksFollower {
  struct Balance: Equatable {
    var ledger: String
    var currency: String
    var identity: String?
    var indicator: String?
    var metadata: String
    var credit = Amount.zero
    var debit = Amount.zero
    var version = 1
  }

  struct Fault: Error, CustomStringConvertible {
    let description: String
  }

  private(set) var ledgers: [String: (name: String, metadata: String)] = [:]
  /// Identities that are not deleted, with their metadata.
  private(set) var identities: [String: String] = [:]
  private(set) var balances: [String: Balance] = [:]
  /// Transaction ids by reference, and metadata by transaction id.
  private(set) var transactions: [String: String] = [:]
  private(set) var transactionMetadata: [String: String] = [:]
  private(set) var keyCount = 0
  /// Position of the last change that was applied; the end of a command.
  private(set) var position = 0
  /// Changes of a command whose end has not come.
  private var pending: [JSONNode] = []
  private var lastTime = ""

  /// The change that comes next.
  var nextPosition: Int { position + pending.count + 1 }

  mutating func take(_ change: JSONNode) throws {
    guard change["position"]?.int == nextPosition else {
      throw Fault(description: "position \(nextPosition) should come: \(change.text.prefix(300))")
    }
    pending.append(change)
    guard change["end_of_command"] == .bool(true) else { return }
    for change in pending { try apply(change) }
    position += pending.count
    pending = []
  }

  private mutating func apply(_ change: JSONNode) throws {
    guard let type = change["type"]?.string, let object = change["object"], let time = change["time"]?.string
    else { throw Fault(description: "no change: \(change.text)") }
    // Microseconds are left out when they are zero, which sorts otherwise.
    let comparable = time.count == 20 ? time.dropLast() + ".000000Z" : time[...]
    guard comparable >= lastTime else { throw Fault(description: "time runs back: \(change.text)") }
    lastTime = String(comparable)
    switch type {
    case "ledger.created":
      ledgers[try id(object, "ledger_id")] = (try id(object, "name"), metadata(object))
    case "ledger.updated":
      let (ledger, name) = (try id(object, "ledger_id"), try id(object, "name"))
      ledgers[ledger]?.name = name
    case "identity.created": identities[try id(object, "identity_id")] = metadata(object)
    case "identity.updated": try require(identities[try id(object, "identity_id")] != nil, change)
    case "identity.deleted":
      try require(identities.removeValue(forKey: try id(object, "identity_id")) != nil, change)
    case "balance.created": try create(object, change)
    case "balance.identity_updated":
      let (balance, identity) = (try id(object, "balance_id"), try id(object, "identity_id"))
      balances[balance]?.identity = identity
    case "metadata.updated": try setMetadata(object, change)
    case "transaction.applied": try post(object, change)
    case "key.remembered": keyCount += 1
    default: throw Fault(description: "a change of an unknown type: \(change.text)")
    }
  }

  private mutating func create(_ object: JSONNode, _ change: JSONNode) throws {
    let balance = Balance(
      ledger: try id(object, "ledger_id"), currency: try id(object, "currency"),
      identity: object["identity_id"]?.string, indicator: object["indicator"]?.string,
      metadata: metadata(object))
    try require(balances.updateValue(balance, forKey: try id(object, "balance_id")) == nil, change)
  }

  private mutating func setMetadata(_ object: JSONNode, _ change: JSONNode) throws {
    let name = try id(object, "id")
    let metadata = metadata(object)
    if balances[name] != nil {
      balances[name]?.metadata = metadata
    } else if transactionMetadata[name] != nil {
      transactionMetadata[name] = metadata
    } else if ledgers[name] != nil {
      ledgers[name]?.metadata = metadata
    } else {
      try require(identities[name] != nil, change)
      identities[name] = metadata
    }
  }

  private mutating func post(_ object: JSONNode, _ change: JSONNode) throws {
    let source = try id(object, "source")
    let destination = try id(object, "destination")
    let amount = try Amount(decimal: try id(object, "precise_amount").utf8.span)
    let transaction = try id(object, "transaction_id")
    guard var debited = balances[source], var credited = balances[destination], source != destination else {
      return try require(false, change)
    }
    try require(debited.currency == object["currency"]?.string, change)
    try require(debited.currency == credited.currency, change)
    try require(object["position"] == change["position"], change)
    debited.debit = debited.debit + amount
    debited.version += 1
    credited.credit = credited.credit + amount
    credited.version += 1
    balances[source] = debited
    balances[destination] = credited
    try require(
      transactions.updateValue(transaction, forKey: try id(object, "reference")) == nil, change)
    transactionMetadata[transaction] = metadata(object)
  }

  private func metadata(_ object: JSONNode) -> String { object["meta_data"]?.text ?? "" }

  private func id(_ object: JSONNode, _ name: String) throws -> String {
    guard let text = object[name]?.string else {
      throw Fault(description: "\(name) is missing: \(object.text)")
    }
    return text
  }

  private func require(_ holds: Bool, _ change: JSONNode) throws {
    if !holds { throw Fault(description: "the change does not fit what came before: \(change.text)") }
  }

  // MARK: Comparing

  /// How the twin differs from balances as the server lists them; empty when it does not.
  func differences(from listed: [JSONNode]) -> [String] {
    var faults: [String] = []
    if listed.count != balances.count {
      faults.append("\(listed.count) balances on the server, \(balances.count) followed")
    }
    for object in listed {
      let name = object["balance_id"]?.string ?? ""
      guard let balance = balances[name] else {
        faults.append("\(name) was not followed")
        continue
      }
      let followed = [
        balance.ledger, balance.currency, balance.identity ?? "-", balance.indicator ?? "-", balance.metadata,
        "\(balance.credit)", "\(balance.debit)", "\(balance.credit - balance.debit)", "\(balance.version)",
      ]
      let found = [
        object["ledger_id"]?.string, object["currency"]?.string, object["identity_id"]?.string ?? "-",
        object["indicator"]?.string ?? "-", object["meta_data"]?.text, object["credit_balance"]?.string,
        object["debit_balance"]?.string, object["balance"]?.string, object["version"]?.text,
      ].map { $0 ?? "" }
      if followed != found { faults.append("\(name): followed \(followed), the server has \(found)") }
    }
    return faults
  }
}

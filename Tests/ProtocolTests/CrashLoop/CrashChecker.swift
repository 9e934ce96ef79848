// Judges a server after its crash by nothing but what its clients were told.

import Amounts
import LedgerlineClient
import TestSupport

/// What must be there, over all rounds on one data directory.
struct CrashChecker {
  private struct Known {
    let transfer: CrashTransfer
    let id: String
  }

  /// Everything that was acknowledged, by reference.
  private var known: [String: Known] = [:]
  private var balances: Set<String> = Set(CrashScript.accounts)
  /// By client: the last value that was acknowledged, and the last that was sent.
  private var metadata: [Int: (acknowledged: Int, sent: Int)] = [:]
  private(set) var faults: [String] = []
  /// For the summary.
  private(set) var unknownCount = 0
  private(set) var survivedCount = 0

  var transferCount: Int { known.count }

  /// The value from which a client counts on.
  func metadataCount(of client: Int) -> Int { metadata[client]?.sent ?? 0 }

  private mutating func fault(_ text: String) { if faults.count < 20 { faults.append(text) } }

  mutating func note(_ texts: [String]) { for text in texts { fault(text) } }

  // MARK: After a restart

  /// Looks at everything that the clients of the last round were told, then settles what they were not told
  /// by asking again.
  mutating func check(_ logs: [CrashLog], _ client: TestClient) throws {
    let info = try client.call("server.info")
    let position = info["result"]?["position"]?.int ?? 0
    for (number, log) in logs.enumerated() {
      note(log.faults)
      if log.position > position {
        fault("position \(log.position) was named before the crash, the books are at \(position)")
      }
      try checkShown(log, client)
      try checkOperations(log, client)
      try checkMetadata(number, log, client)
    }
    for log in logs { try settle(log, client) }
  }

  private mutating func checkShown(_ log: CrashLog, _ client: TestClient) throws {
    for (reference, id) in log.shownTransactions {
      let found = try transactionID(reference, client)
      if found != id { fault("a read showed \(reference) as \(id), now it is \(found ?? "gone")") }
    }
    for (name, shown) in log.shownBalances {
      let result = try client.call("balances.get", #"{"balance_id":"\#(name)"}"#)["result"]
      let version = result?["version"]?.int ?? 0
      let isSame =
        version > shown.version || version == shown.version && result?["balance"]?.string == shown.balance
      if !isSame {
        fault(
          "a read showed \(name) in version \(shown.version) with \(shown.balance): \(result?.text ?? "")")
      }
    }
  }

  private mutating func checkOperations(_ log: CrashLog, _ client: TestClient) throws {
    // One connection's commands are carried out in order, so what has survived is the beginning of them.
    var firstLost: String?
    for operation in log.operations {
      switch operation.outcome {
      case .acknowledged(let ids): try checkAcknowledged(operation, ids, client)
      case .refused:
        for transfer in operation.transfers where try transactionID(transfer.reference, client) != nil {
          fault("\(transfer.reference) was refused and is there")
        }
      case .unknown:
        unknownCount += 1
        guard let isThere = try isThere(operation, client) else { continue }
        let name = operation.transfers.first?.reference ?? "\(operation.kind)"
        if isThere {
          survivedCount += 1
          if let firstLost { fault("\(name) is there, \(firstLost), which was sent before it, is not") }
        } else {
          firstLost = firstLost ?? name
        }
      }
    }
  }

  private mutating func checkAcknowledged(
    _ operation: CrashOperation, _ ids: [String?], _ client: TestClient
  ) throws {
    for (transfer, id) in zip(operation.transfers, ids) {
      guard let id else {
        if transfer.isSure { fault("\(transfer.reference) was refused, and nothing speaks against it") }
        if try transactionID(transfer.reference, client) != nil {
          fault("\(transfer.reference) was refused and is there")
        }
        continue
      }
      if known.updateValue(Known(transfer: transfer, id: id), forKey: transfer.reference) != nil {
        fault("\(transfer.reference) was acknowledged twice")
      }
    }
    if case .balance(let name) = operation.kind { balances.insert(name) }
  }

  /// Whether an operation without an answer was carried out; nil when that cannot be told.
  private mutating func isThere(_ operation: CrashOperation, _ client: TestClient) throws -> Bool? {
    if case .balance(let name) = operation.kind {
      return try client.call("balances.get", #"{"balance_id":"\#(name)"}"#)["result"] != nil
    }
    var found: [(CrashTransfer, Bool)] = []
    for transfer in operation.transfers {
      found.append((transfer, try transactionID(transfer.reference, client) != nil))
    }
    // Of an atomic batch all count; of others those that cannot have been refused.
    let judged: [(CrashTransfer, Bool)]
    if case .separate = operation.kind { judged = found.filter(\.0.isSure) } else { judged = found }
    guard let first = judged.first else { return nil }
    for (transfer, isThere) in judged where isThere != first.1 {
      fault("half a batch: \(first.0.reference) \(first.1), \(transfer.reference) \(isThere)")
    }
    if !first.1, let (other, _) = found.first(where: \.1) {
      fault("half a batch: \(first.0.reference) is missing, \(other.reference) is there")
    }
    // An atomic batch or a single one may have been refused.
    if !first.1, !operation.transfers.allSatisfy(\.isSure) { return nil }
    return first.1
  }

  private mutating func checkMetadata(_ number: Int, _ log: CrashLog, _ client: TestClient) throws {
    var (acknowledged, sent) = metadata[number] ?? (0, 0)
    for operation in log.operations {
      guard case .metadata(_, let count) = operation.kind else { continue }
      sent = count
      if case .acknowledged = operation.outcome { acknowledged = count }
    }
    let name = CrashScript.ownBalance(of: number)
    let found = try client.call("balances.get", #"{"balance_id":"\#(name)"}"#)
    let count = found["result"]?["meta_data"]?["count"]?.int ?? 0
    if count < acknowledged || count > sent {
      fault("metadata of \(name) is \(count); \(acknowledged) was acknowledged, \(sent) sent")
    }
    // What is there now counts from here on.
    metadata[number] = (count, sent)
  }

  /// Sends again what had no answer: each gets one now, and what had survived is not done twice.
  private mutating func settle(_ log: CrashLog, _ client: TestClient) throws {
    for var operation in log.operations {
      guard case .unknown = operation.outcome else { continue }
      if case .metadata = operation.kind { continue }
      var before: [String: String] = [:]
      for transfer in operation.transfers {
        before[transfer.reference] = try transactionID(transfer.reference, client)
      }
      try client.send(operation.line(id: 1))
      let (replayed, problem) = operation.take(try client.answer())
      if let problem { fault("asked again: \(problem)") }
      // What was refused before the crash may be accepted now; what was there is only told of.
      for (transfer, isReplay) in zip(operation.transfers, replayed) {
        if before[transfer.reference] != nil, !isReplay {
          fault("\(transfer.reference) was there, and the answer to its repetition hides it")
        }
      }
      guard case .acknowledged(let ids) = operation.outcome else {
        if !before.isEmpty { fault("\(before) was there, and its repetition is refused") }
        continue
      }
      for (transfer, id) in zip(operation.transfers, ids) {
        guard let found = before[transfer.reference] else { continue }
        if found != id {
          fault("\(transfer.reference) was \(found) and is \(id ?? "refused") when asked again")
        }
      }
      try checkAcknowledged(operation, ids, client)
    }
  }

  private func transactionID(_ reference: String, _ client: TestClient) throws -> String? {
    try client.call("transactions.get_by_reference", #"{"reference":"\#(reference)"}"#)["result"]?[
      "transaction_id"]?
      .string
  }
}

// MARK: - The whole books

extension CrashChecker {
  /// What transactions make of a balance.
  private struct Total {
    var credit = Amount.zero
    var debit = Amount.zero
    var count = 0
  }

  /// Compares every transaction and every balance with what is known, when everything has been settled.
  mutating func checkBooks(_ client: TestClient, _ follower: BooksFollower?) throws {
    let listed = try rows(
      "balances.filter", #"{"filters":[],"sort_by":"created_at","sort_order":"asc"}"#, client)
    if let follower { note(follower.differences(from: listed)) }
    var totals: [String: Total] = [:]
    var names: [String: String] = [:]
    for balance in listed {
      let name = balance["balance_id"]?.string ?? ""
      names[name] = balance["indicator"]?.string ?? name
      totals[name] = Total()
    }
    for name in balances where names[name] == nil { fault("balance \(name) was acknowledged and is gone") }
    try checkTransactions(names, &totals, client)
    var sums: [String: Amount] = [:]
    for balance in listed {
      let name = balance["balance_id"]?.string ?? ""
      let total = totals[name] ?? Total()
      let found = [balance["credit_balance"], balance["debit_balance"], balance["balance"]].map { $0?.string }
      if found != ["\(total.credit)", "\(total.debit)", "\(total.credit - total.debit)"]
        || balance["version"]?.int != total.count + 1
      {
        fault("\(name) is \(balance.text), its transactions say \(total)")
      }
      let currency = balance["currency"]?.string ?? ""
      sums[currency] = (sums[currency] ?? .zero) + total.credit - total.debit
    }
    for (currency, sum) in sums where sum != .zero {
      fault("credits and debits in \(currency) differ by \(sum)")
    }
    guard let follower else { return }
    if follower.transactions.count != known.count {
      fault("\(follower.transactions.count) transactions were followed, \(known.count) are known")
    }
    for (reference, known) in known where follower.transactions[reference] != known.id {
      fault(
        "\(reference) was followed as \(follower.transactions[reference] ?? "nothing"), it is \(known.id)")
    }
  }

  private mutating func checkTransactions(
    _ names: [String: String], _ totals: inout [String: Total],
    _ client: TestClient
  ) throws {
    let transactions = try rows(
      "transactions.filter",
      #"{"filters":[],"fields":["transaction_id","source","destination","reference","currency","precise_amount","#
        + #""status","description"]}"#, client)
    if transactions.count != known.count {
      fault("\(transactions.count) transactions are there, \(known.count) were acknowledged")
    }
    for transaction in transactions {
      let reference = transaction["reference"]?.string ?? ""
      guard let known = known[reference] else {
        fault("nobody has sent \(transaction.text)")
        continue
      }
      let source = transaction["source"]?.string ?? ""
      let destination = transaction["destination"]?.string ?? ""
      let found = [
        transaction["transaction_id"]?.string, names[source], names[destination],
        transaction["currency"]?.string, transaction["precise_amount"]?.string, transaction["status"]?.string,
        transaction["description"]?.string,
      ]
      let transfer = known.transfer
      let expected = [
        known.id, transfer.source, transfer.destination, transfer.currency, "\(transfer.amount)", "APPLIED",
        transfer.description,
      ]
      if found != expected { fault("\(transaction.text) was acknowledged as \(expected)") }
      let amount = Amount(Int64(transfer.amount))
      totals[source, default: Total()].debit += amount
      totals[source, default: Total()].count += 1
      totals[destination, default: Total()].credit += amount
      totals[destination, default: Total()].count += 1
    }
  }

  private func rows(_ method: String, _ params: String, _ client: TestClient) throws -> [JSONNode] {
    try client.send(request(1, method, params, #""stream":true"#))
    var rows: [JSONNode] = []
    while true {
      let message = try client.answer()
      guard message["method"] != nil else { return rows }
      rows += message["params"]?["rows"]?.array ?? []
    }
  }
}

// What a client of the crash loop asks for, and what it was told.

import LedgerlineClient
import TestSupport

/// A transfer as it is sent.
struct CrashTransfer: Sendable {
  let reference: String
  let source: String
  let destination: String
  let currency: String
  let amount: Int
  let description: String
  /// It cannot be refused: its source may go below zero, and all it names is there.
  let isSure: Bool

  var json: String {
    let overdraft = isSure ? #","allow_overdraft":true"# : ""
    return #"{"source":"\#(source)","destination":"\#(destination)","currency":"\#(currency)","#
      + #""precise_amount":"\#(amount)","reference":"\#(reference)","description":"\#(description)""#
      + overdraft + "}"
  }
}

/// One request that writes, with everything that is known of its outcome.
struct CrashOperation: Sendable {
  enum Kind: Sendable {
    case single
    /// All or none.
    case atomic
    /// Each stands alone, but a crash takes all or none.
    case separate
    /// A balance of that id.
    case balance(String)
    /// A value that is counted up on a balance that only one client writes to.
    case metadata(String, Int)
  }

  enum Outcome: Sendable {
    /// No answer has come.
    case unknown
    /// The transaction of each transfer, nil for a refused one.
    case acknowledged([String?])
    case refused(String)
  }

  let kind: Kind
  let transfers: [CrashTransfer]
  let key: String?
  var outcome = Outcome.unknown

  /// The request without its end.
  func line(id: Int) -> String {
    let envelope = [#""meta":true"#] + (key.map { [#""key":"\#($0)""#] } ?? [])
    return request(id, method, params, envelope.joined(separator: ","))
  }

  private var method: String {
    switch kind {
    case .single: "transactions.create"
    case .atomic, .separate: "transactions.create_many"
    case .balance: "balances.create"
    case .metadata: "metadata.update"
    }
  }

  private var params: String {
    switch kind {
    case .single: transfers[0].json
    case .atomic, .separate:
      #"{"atomic":\#(isAtomic),"transactions":[\#(transfers.map(\.json).joined(separator: ","))]}"#
    case .balance(let name):
      #"{"balance_id":"\#(name)","ledger_id":"general_ledger_id","currency":"USD"}"#
    case .metadata(let name, let count): #"{"id":"\#(name)","meta_data":{"count":\#(count)}}"#
    }
  }

  private var isAtomic: Bool { if case .atomic = kind { true } else { false } }

  /// Reads the outcome out of an answer.
  /// - Returns: for each transfer whether the server says that it had made it before, and what is wrong with
  ///   the answer; nil when it fits the request.
  mutating func take(_ answer: JSONNode) -> (replayed: [Bool], fault: String?) {
    if let error = answer["error"] {
      let code = error["data"]?["code"]?.string ?? ""
      outcome = .refused(code)
      let isExpected = ["TXN_INSUFFICIENT_FUNDS", "BAL_NOT_FOUND"].contains(code)
      return ([], isExpected && !isWhollySure ? nil : "refused: \(answer.text)")
    }
    guard let result = answer["result"] else { return ([], "no answer: \(answer.text)") }
    switch kind {
    case .single:
      outcome = .acknowledged([result["transaction_id"]?.string])
      return ([result["replayed"] == .bool(true)], nil)
    case .atomic, .separate:
      guard let results = result["results"]?.array, results.count == transfers.count else {
        return ([], "not one result for each transfer: \(answer.text.prefix(300))")
      }
      outcome = .acknowledged(results.map { $0["transaction_id"]?.string })
      return (results.map { $0["replayed"] == .bool(true) }, nil)
    case .balance(let name):
      outcome = .acknowledged([])
      return ([], result["balance_id"]?.string == name ? nil : "another balance: \(answer.text)")
    case .metadata:
      outcome = .acknowledged([])
      return ([], nil)
    }
  }

  /// Whether no rule of the books can refuse it.
  private var isWhollySure: Bool {
    if case .separate = kind { return true }
    return transfers.allSatisfy(\.isSure)
  }
}

/// Makes the operations of one client.
struct CrashScript {
  static let accounts = (0..<12).map { "bln_crash_\($0)" }
  static let currencies = ["USD", "EUR", "JPY"]

  let client: Int
  let round: Int
  private var generator: SeededGenerator
  private(set) var made = 0
  /// Value of the last metadata that was sent.
  private(set) var count: Int

  init(client: Int, round: Int, count: Int, generator: SeededGenerator) {
    self.client = client
    self.round = round
    self.count = count
    self.generator = generator
  }

  /// The balance whose metadata only this client writes.
  static func ownBalance(of client: Int) -> String { accounts[client % accounts.count] }

  static func reference(_ client: Int, _ round: Int, _ number: Int) -> String {
    "c\(client)-r\(round)-\(number)"
  }

  mutating func next() -> CrashOperation {
    let key = Int.random(in: 0..<4, using: &generator) == 0 ? "k\(client)-\(round)-\(made)" : nil
    switch Int.random(in: 0..<20, using: &generator) {
    case 0:
      made += 1
      return CrashOperation(
        kind: .balance("bln_c\(client)_\(round)_\(made)"), transfers: [],
        key: "b" + (key ?? "\(client)-\(round)-\(made)"))
    case 1, 2:
      count += 1
      return CrashOperation(
        kind: .metadata(Self.ownBalance(of: client), count), transfers: [], key: nil)
    case 3...6: return CrashOperation(kind: .atomic, transfers: transfers(2...40), key: key)
    case 7...9: return CrashOperation(kind: .separate, transfers: transfers(2...40), key: key)
    default: return CrashOperation(kind: .single, transfers: [transfer()], key: key)
    }
  }

  private mutating func transfers(_ range: ClosedRange<Int>) -> [CrashTransfer] {
    (0..<Int.random(in: range, using: &generator)).map { _ in transfer() }
  }

  private mutating func transfer() -> CrashTransfer {
    made += 1
    let place = Int.random(in: 0..<Self.accounts.count, using: &generator)
    let currency = Self.currencies[place % 3]
    let isSure = Int.random(in: 0..<4, using: &generator) != 0
    // Of the same currency, and another one.
    let other = Self.accounts[(place + 3 * Int.random(in: 1...3, using: &generator)) % Self.accounts.count]
    return CrashTransfer(
      reference: Self.reference(client, round, made), source: isSure ? "@world" : other,
      destination: Self.accounts[place], currency: currency,
      amount: Int.random(in: 1...5000, using: &generator), description: "by \(client), number \(made)",
      isSure: isSure)
  }
}

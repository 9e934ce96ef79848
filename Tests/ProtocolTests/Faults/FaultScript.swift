// The fixed script of the fault tests: what is asked, how to find out whether it was done, what it moves.

import LedgerlineClient

/// One request of the script. All of it is done, or nothing.
struct ScriptStep {
  struct Move {
    let source: Int
    let destination: Int
    let amount: Int
  }

  let number: Int
  let method: String
  let params: String
  let envelope: String
  /// Requests by which each part of it is looked up: a result means that it is there.
  let lookups: [(method: String, params: String)]
  /// A member of `meta_data` that the lookup's result must have.
  let member: String?
  let moves: [Move]
  /// Changes nothing in the books.
  var isSnapshot: Bool { method == "snapshots.create" }

  var line: String { request(number, method, params, envelope) }

  init(
    _ number: Int, _ method: String, _ params: String, envelope: String = "",
    lookups: [(method: String, params: String)] = [], member: String? = nil, moves: [Move] = []
  ) {
    self.number = number
    self.method = method
    self.params = params
    self.envelope = envelope
    self.lookups = lookups
    self.member = member
    self.moves = moves
  }
}

/// The same steps every time, none of which refuses another: each may be missing, except the first two.
struct FaultScript {
  static let balanceCount = 6

  let steps: [ScriptStep]
  /// How many requests are on their way at a time: most steps go alone, some together, so that some groups
  /// of the journal hold many commands.
  static func window(at number: Int) -> Int { number % 40 < 28 ? 1 : 4 }

  /// - Parameters:
  ///   - stepCount: how many, with the preparation.
  ///   - snapshotEvery: a snapshot is asked for after so many.
  init(stepCount: Int, snapshotEvery: Int) {
    var steps = [
      ScriptStep(
        0, "ledgers.create", #"{"ledger_id":"ldg_f","name":"F"}"#,
        lookups: [("ledgers.get", #"{"ledger_id":"ldg_f"}"#)]),
      ScriptStep(
        1, "balances.create_many",
        #"{"balances":["#
          + (0..<Self.balanceCount).map {
            #"{"balance_id":"bln_\#($0)","ledger_id":"ldg_f","currency":"USD"}"#
          }.joined(separator: ",") + "]}",
        lookups: (0..<Self.balanceCount).map { ("balances.get", #"{"balance_id":"bln_\#($0)"}"#) }),
    ]
    for number in 2..<stepCount {
      steps.append(
        number % snapshotEvery == 0
          ? ScriptStep(number, "snapshots.create", #"{"wait":true}"#) : Self.step(number))
    }
    self.steps = steps
  }

  private static func step(_ number: Int) -> ScriptStep {
    switch number % 10 {
    case 0: return batch(number, count: 3, isAtomic: true)
    case 3: return batch(number, count: 2, isAtomic: false)
    // Larger than a block, so that a write of it can be torn.
    case 5: return transfer(number, text: String(repeating: "\(number) ", count: 4000))
    case 6:
      return ScriptStep(
        number, "ledgers.create", #"{"ledger_id":"ldg_\#(number)","name":"L"}"#,
        lookups: [("ledgers.get", #"{"ledger_id":"ldg_\#(number)"}"#)])
    case 7:
      return ScriptStep(
        number, "metadata.update", #"{"id":"ldg_f","meta_data":{"s\#(number)":\#(number)}}"#,
        lookups: [("ledgers.get", #"{"ledger_id":"ldg_f"}"#)], member: "s\(number)")
    case 8:
      return ScriptStep(
        number, "balances.create",
        #"{"balance_id":"bln_x\#(number)","ledger_id":"ldg_f","currency":"EUR"}"#,
        lookups: [("balances.get", #"{"balance_id":"bln_x\#(number)"}"#)])
    case 9: return transfer(number, envelope: #""key":"key-\#(number)""#)
    default: return transfer(number)
    }
  }

  private static func move(_ number: Int) -> ScriptStep.Move {
    ScriptStep.Move(
      source: number % balanceCount, destination: (number + 1 + number % 3) % balanceCount, amount: number)
  }

  private static func body(_ move: ScriptStep.Move, _ reference: String, text: String? = nil) -> String {
    let more = text.map { #","meta_data":{"text":"\#($0)"}"# } ?? ""
    return #"{"source":"bln_\#(move.source)","destination":"bln_\#(move.destination)","currency":"USD","#
      + #""precise_amount":"\#(move.amount)","reference":"\#(reference)","allow_overdraft":true\#(more)}"#
  }

  private static func lookup(_ reference: String) -> (method: String, params: String) {
    ("transactions.get_by_reference", #"{"reference":"\#(reference)"}"#)
  }

  private static func transfer(_ number: Int, envelope: String = "", text: String? = nil) -> ScriptStep {
    let move = move(number)
    return ScriptStep(
      number, "transactions.create", body(move, "r\(number)", text: text), envelope: envelope,
      lookups: [lookup("r\(number)")], moves: [move])
  }

  private static func batch(_ number: Int, count: Int, isAtomic: Bool) -> ScriptStep {
    let moves = (0..<count).map { move(number + $0) }
    let bodies = moves.enumerated().map { body($1, "r\(number)-\($0)") }.joined(separator: ",")
    return ScriptStep(
      number, "transactions.create_many", #"{"atomic":\#(isAtomic),"transactions":[\#(bodies)]}"#,
      lookups: (0..<count).map { lookup("r\(number)-\($0)") }, moves: moves)
  }

  /// What the balances must show when exactly these steps were done: credits and debits of each.
  func sums(of present: Set<Int>) -> [(credit: Int, debit: Int)] {
    var sums = [(credit: Int, debit: Int)](repeating: (0, 0), count: Self.balanceCount)
    for step in steps where present.contains(step.number) {
      for move in step.moves {
        sums[move.source].debit += move.amount
        sums[move.destination].credit += move.amount
      }
    }
    return sums
  }
}

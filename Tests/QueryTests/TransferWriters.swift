// Threads that move money as fast as the books take it, for tests of what readers see meanwhile.

import Amounts
import Ledger
import Platform
import Synchronization
import TestSupport

/// Writers on some balances. Every amount that leaves a balance reaches one of the same currency.
final class TransferWriters: Sendable {
  private let books: Books
  private let balances: [(currency: String, identifiers: [Identifier])]
  /// What writers wait for.
  private struct State {
    var isOver = false
    /// Transfers that may still be made; each writer may go past it by one batch.
    var allowance: Int
  }

  private let state: Gate<State>
  private let moved = Atomic<Int>(0)
  private let threads: Gate<[Platform.Thread]>

  /// - Parameters:
  ///   - balances: those that take part, at least two of each currency.
  ///   - allowance: transfers until `allow` is called; without end when nil.
  init(
    _ books: Books, _ balances: [(currency: String, identifiers: [Identifier])], threadCount: Int, seed: Seed,
    allowing allowance: Int? = nil
  ) throws {
    self.books = books
    self.balances = balances
    threads = Gate([])
    state = Gate(State(allowance: allowance ?? .max))
    let started = try (0..<threadCount).map { number in
      try Thread(name: "writer") { [self] in
        var writer = Writer(
          number: number, balances: balances, generator: Seed(seed.value &+ UInt64(number) &+ 1).generator)
        while mayWrite() {
          _ = try? books.execute(writer.command())
          moved.add(writer.lastCount, ordering: .relaxed)
          state.withLock { $0.allowance -= writer.lastCount }
        }
      }
    }
    threads.withLock { $0 = started }
  }

  /// Waits for an allowance.
  /// - Returns: false at the end.
  private func mayWrite() -> Bool {
    state.wait { $0.isOver ? false : $0.allowance > 0 ? true : nil }
  }

  /// Allows more transfers.
  func allow(_ count: Int) { state.updateAndWakeAll { $0.allowance += count } }

  /// Transfers that were asked for so far.
  var movedCount: Int { moved.load(ordering: .relaxed) }

  /// Ends the threads and waits for them.
  func stop() {
    state.updateAndWakeAll { $0.isOver = true }
    let ended = threads.withLock { threads in
      defer { threads = [] }
      return threads
    }
    for thread in ended { thread.join() }
  }
}

/// One thread's commands: transfers in batches, now and then one alone, a new balance, or other metadata.
private struct Writer {
  let number: Int
  let balances: [(currency: String, identifiers: [Identifier])]
  var generator: SeededGenerator
  var lastCount = 0
  private var count = 0

  init(
    number: Int, balances: [(currency: String, identifiers: [Identifier])], generator: SeededGenerator
  ) {
    self.number = number
    self.balances = balances
    self.generator = generator
  }

  private mutating func roll(_ sides: Int) -> Int { Int.random(in: 0..<sides, using: &generator) }

  mutating func command() -> Command {
    lastCount = 0
    let (currency, identifiers) = balances[roll(balances.count)]
    switch roll(64) {
    case 0:
      count += 1
      return .createBalances(
        [
          NewBalance(
            identifier: .custom("bln_w\(number)-\(count)"), ledger: .generalLedger, currency: currency)
        ],
        atomic: true)
    case 1:
      count += 1
      let metadata = Array("{\"k\":\(count % 7)}".utf8)
      return .updateMetadata(.balance, identifiers[roll(identifiers.count)]) { _ in metadata }
    case 2...8:
      lastCount = 1
      return .postTransaction(transfer(currency, identifiers))
    default:
      lastCount = roll(100) + 1
      return .postTransactions(
        (0..<lastCount).map { _ in transfer(currency, identifiers) }, atomic: roll(2) == 0)
    }
  }

  private mutating func transfer(_ currency: String, _ identifiers: [Identifier]) -> NewTransaction {
    count += 1
    let source = roll(identifiers.count)
    let destination = (source + 1 + roll(identifiers.count - 1)) % identifiers.count
    // Some sums outgrow 64 bits, and a few 128.
    let amount = roll(50) == 0 ? Amount.power(of10: roll(40)) : Amount(Int64(roll(100_000) + 1))
    return NewTransaction(
      identifier: .custom("txn_w\(number)-\(count)"), source: .balance(identifiers[source]),
      destination: roll(32) == 0 ? .indicator("@till\(roll(5))") : .balance(identifiers[destination]),
      amount: amount, currency: currency, reference: "w\(number)-\(count)", allowOverdraft: true)
  }
}

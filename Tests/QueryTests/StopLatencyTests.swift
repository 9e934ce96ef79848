// How long a query works between two looks at its stop flag: that is how late it ends.

import Columns
import Ledger
import Platform
import Query
import Synchronization
import TestSupport
import Testing

/// The processor time of the calling thread, so that a busy machine changes nothing; notes the longest time
/// between two questions.
private final class GapClock: TimeSource {
  private let last = Atomic<UInt64>(0)
  private let longest = Atomic<UInt64>(0)
  private let count = Atomic<Int>(0)

  func wallTime() -> Microseconds { Microseconds(0) }

  func monotonicTime() -> MonotonicTime {
    let now = UInt64(CurrentProcess.threadTime.wholeNanoseconds)
    let before = last.exchange(now, ordering: .relaxed)
    if count.add(1, ordering: .relaxed).oldValue > 0, now > before {
      longest.max(now - before, ordering: .relaxed)
    }
    return MonotonicTime(nanoseconds: now)
  }

  var gap: Duration { .nanoseconds(Int64(longest.load(ordering: .relaxed))) }
  var lookCount: Int { count.load(ordering: .relaxed) }
}

@Suite struct StopLatencyTests {
  /// In optimised builds; what is built for debugging is slower by as much as it likes.
  private static var limit: Duration {
    #if DEBUG
      .milliseconds(400)
    #else
      .milliseconds(1)
    #endif
  }

  private static func predicate(_ name: String, _ op: FilterOperator, _ operand: Operand) -> Predicate {
    Predicate(field: QueryField.named(name, in: .balances)!, op: op, operand: operand)
  }

  @Test func aQueryLooksAtItsStopFlagAllTheTime() throws {
    var shape = BooksShape()
    shape.balanceCount = Effort.choose(66_000, long: 400_000)
    shape.transactionCount = 50
    let cut = try RandomBooks(seed: Seed(7), shape: shape).books.cut()
    let engine = QueryEngine()
    let balance = SortOrder(field: QueryField.named("balance", in: .balances)!, ascending: true)
    let name = SortOrder(field: QueryField.named("balance_id", in: .balances)!, ascending: true)
    let member = SortOrder(field: QueryField.named("meta_data.k", in: .balances)!, ascending: false)
    let pattern = Self.predicate("balance_id", .like, .text("%a%b%"))
    let indicator = Self.predicate("indicator", .ilike, .text("%b%"))
    let key = Self.predicate("meta_data.k", .equal, .metadata(.text("abc")))
    let cases: [(String, QueryRequest)] = [
      ("every row", QueryRequest(table: .balances, limit: nil)),
      ("pattern", QueryRequest(table: .balances, predicates: [pattern], limit: nil)),
      ("indicators", QueryRequest(table: .balances, predicates: [indicator], limit: nil)),
      ("metadata", QueryRequest(table: .balances, predicates: [key], limit: nil)),
      ("by balance", QueryRequest(table: .balances, sort: balance, limit: nil)),
      ("by name", QueryRequest(table: .balances, sort: name, limit: nil)),
      ("by metadata", QueryRequest(table: .balances, sort: member, limit: nil)),
    ]
    for (what, request) in cases {
      let clock = GapClock()
      let stop = StopFlag(deadline: MonotonicTime(nanoseconds: .max), clock: clock)
      _ = clock.monotonicTime()
      _ = try engine.run(request, on: cut, stop: stop)
      _ = clock.monotonicTime()
      if Effort.isTalkative { print("\(what): \(clock.gap) at most, \(clock.lookCount) looks") }
      #expect(clock.gap < Self.limit, "\(what): \(clock.gap)")
    }
  }
}

// Plans that use the order of balances.

import Amounts
import Columns
import Ledger

extension Planner {
  /// The balances that can pass: what all tests of them allow together, if each is one range.
  static func balanceBounds(_ tests: [RowTest]) -> AmountRanges.Bounds? {
    var bounds: AmountRanges.Bounds?
    for case .amounts(.balance, let set) in tests {
      guard set.ranges.count == 1, let range = set.ranges.first else { continue }
      guard let known = bounds else {
        bounds = range
        continue
      }
      let low = known.low.map { low in range.low.map { max(low, $0) } ?? low } ?? range.low
      let high = known.high.map { high in range.high.map { min(high, $0) } ?? high } ?? range.high
      bounds = AmountRanges.Bounds(low: low, high: high)
    }
    return bounds
  }

  /// Balances that pass tests of nothing but the balance.
  func bucketCount(_ question: Question) -> Plan.Counting? {
    guard let order = question.balanceOrder else { return nil }
    if question.tests.count == 1, case .amounts(.balance, let set) = question.tests[0] {
      let count = set.ranges.reduce(0) { $0 + order.count(from: $1.low, through: $1.high) }
      return .known(count, .buckets)
    }
    guard let bounds = question.balanceBounds, question.tests.allSatisfy(\.isOneBalanceRange) else {
      return nil
    }
    return .known(order.count(from: bounds.low, through: bounds.high), .buckets)
  }

  func appendBuckets(_ options: inout [Option], _ question: Question, _ shares: Shares) {
    guard let order = question.balanceOrder else { return }
    let isSorted = question.order.field.source == .balance
    let span = BucketSpan(
      order, question.balanceBounds, ascending: question.order.ascending,
      after: isSorted ? question.request.cursor : nil)
    let rest = RowTest.conjunction(question.tests.filter { !$0.isOneBalanceRange })
    let isBare = rest == .everything && question.rows.count == reader.rowCount
    if isSorted {
      if let cursor = question.request.cursor {
        guard case .amount = cursor.key else { return }
      }
      // A part has 256 rows at most, and the first and the last are sorted as a whole.
      let page = question.request.limit.map { min($0, span.places.count) } ?? span.places.count
      let offset = min(question.request.offset, span.places.count)
      let walked: Int
      if isBare {
        walked = min(page + 256, span.places.count)
      } else {
        let inOrder = shares.walkShare / max(shares.balanceShare ?? 1, 1e-9)
        walked = Int(min(Double(page + offset) / max(inOrder, 1e-9) + 256, Double(span.places.count)))
      }
      // What is passed over is counted and not sorted.
      var passed = 0
      if case .codes = rest, question.rows.count == reader.rowCount {
        passed = min(offset * walked / max(1, page + offset), walked)
      }
      let tested =
        isBare
        ? 0
        : passed * PlannerCosts.countedBucketRow
          + (walked - passed) * (PlannerCosts.testedBucketRow + rest.cost / 10)
      let sorted = min(walked, page + 256) * PlannerCosts.bucketRow
      options.append(
        Option(route: .bucketOrder(span), rows: walked, nanoseconds: 1_500 + tested + sorted))
    }
    if question.balanceBounds != nil, forced != nil || !isSorted {
      let count = span.places.count
      let each = PlannerCosts.testedBucketRow + PlannerCosts.touchedRow + question.test.cost / 10
      options.append(
        Option(
          route: .bucketRange(span), rows: count, nanoseconds: 1_500 + count * each, seesAll: true,
          isBounded: true))
    }
  }
}

extension RowTest {
  /// One range of the balance: what the order of balances answers without looking at rows.
  var isOneBalanceRange: Bool {
    if case .amounts(.balance, let set) = self { set.ranges.count == 1 } else { false }
  }
}

// From the totals of groups to the answer: conditions, order, limit.

import Amounts
import Columns
import Ledger

/// Chooses and orders groups.
struct GroupAnswer {
  let request: AggregateRequest
  let alphabets: Alphabets
  let stop: StopFlag

  /// A group on its way into the order.
  private struct Entry {
    /// What the order asks for first, smaller first.
    var primary: Int128
    /// The places of the group's codes in their alphabets, as digits of one number.
    var key: UInt128
    var group: Int
  }

  /// - Parameter value: gives a metric of a group by the group's number.
  /// - Complexity: O(groups · (metrics + log groups)).
  func result(
    _ groups: [FoundGroup], value: (Metric, Int) -> MetricValue
  ) throws(QueryStopped) -> AggregateResult {
    var kept: [FoundGroup] = []
    var values: [MetricValue] = []
    kept.reserveCapacity(groups.count)
    values.reserveCapacity(groups.count * request.metrics.count)
    for (place, group) in groups.enumerated() {
      if place & 4095 == 4095 { try stop.check() }
      let start = values.count
      for metric in request.metrics { values.append(value(metric, group.number)) }
      if request.having.allSatisfy({ $0.test.holds(values[start + $0.metric]) }) {
        kept.append(group)
      } else {
        values.removeLast(request.metrics.count)
      }
    }
    let order = try order(kept, values)
    let count = min(order.count, request.limit ?? .max)
    var result = AggregateResult(count: count, codes: [], values: [])
    result.codes.reserveCapacity(count * request.groupBy.count)
    result.values.reserveCapacity(count * request.metrics.count)
    for group in order.prefix(count) {
      result.codes += kept[group].codes
      let start = group * request.metrics.count
      result.values += values[start..<start + request.metrics.count]
    }
    return result
  }

  /// The groups' places in the order asked for.
  private func order(_ groups: [FoundGroup], _ values: [MetricValue]) throws(QueryStopped) -> [Int] {
    if groups.count < 2 { return Array(groups.indices) }
    var entries = groups.indices.map { Entry(primary: 0, key: 0, group: $0) }
    for column in request.groupBy.indices {
      let (ranks, base) = try ranks(of: column, groups)
      let isFalling = request.order == .columns(ascending: false)
      for place in entries.indices {
        let rank = isFalling ? base - 1 - ranks[place] : ranks[place]
        entries[place].key = entries[place].key &* UInt128(base) &+ UInt128(rank)
      }
      if case .column(column, let ascending) = request.order {
        for place in entries.indices {
          entries[place].primary = Int128(ascending ? ranks[place] : base - 1 - ranks[place])
        }
      }
    }
    guard case .metric(let metric, let ascending) = request.order else {
      return try sorted(entries) { $0.primary == $1.primary ? $0.key < $1.key : $0.primary < $1.primary }
    }
    let metrics = request.metrics.count
    for place in entries.indices {
      guard let number = values[place * metrics + metric].int128 else {
        return try sorted(entries) { left, right in
          let order = MetricValue.order(
            values[left.group * metrics + metric], values[right.group * metrics + metric])
          return order == 0 ? left.key < right.key : (order < 0) == ascending
        }
      }
      entries[place].primary = ascending ? number : ~number
    }
    return try sorted(entries) { $0.primary == $1.primary ? $0.key < $1.key : $0.primary < $1.primary }
  }

  private func sorted(
    _ entries: [Entry], by precedes: (Entry, Entry) -> Bool
  ) throws(QueryStopped) -> [Int] {
    var comparisons = 0
    do {
      return try entries.sorted { left, right in
        comparisons += 1
        if comparisons & 4095 == 0 { try stop.check() }
        return precedes(left, right)
      }.map(\.group)
    } catch let stopped as QueryStopped {
      throw stopped
    } catch {
      preconditionFailure("only a stop ends a sort")
    }
  }

  // MARK: The order of codes

  /// The place of each group's code among the codes of a column, the absent value last.
  private func ranks(
    of column: Int, _ groups: [FoundGroup]
  ) throws(QueryStopped) -> (ranks: [Int], base: Int) {
    let source = request.groupBy[column].source
    if let all = alphabets.ranks[source] {
      let last = all.codeCount
      return (groups.map { all.place($0.codes[column]) ?? last }, last + 1)
    }
    var comparisons = 0
    var rankOf: [UInt32: Int] = [:]
    do {
      let codes = try Set(groups.map { $0.codes[column] }).sorted { left, right in
        comparisons += 1
        if comparisons & 1023 == 0 { try stop.check() }
        return alphabets.precedes(left, right, source)
      }
      rankOf.reserveCapacity(codes.count)
      for (rank, code) in codes.enumerated() { rankOf[code] = rank }
    } catch let stopped as QueryStopped {
      throw stopped
    } catch {
      preconditionFailure("only a stop ends a sort")
    }
    return (groups.map { rankOf[$0.codes[column]] ?? 0 }, max(rankOf.count, 1))
  }
}

extension MetricValue {
  /// The value as a number that compares as it does; nil when it is wider, a fraction or null.
  fileprivate var int128: Int128? {
    switch self {
    case .count(let count): Int128(count)
    case .time(let time): Int128(time)
    case .amount(let amount): amount.int128
    case .average, .null: nil
    }
  }
}

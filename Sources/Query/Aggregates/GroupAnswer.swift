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
    var primary: Int128 = 0
    /// The places of the group's codes in their alphabets, as digits of one number.
    var key: UInt128 = 0
    var group: Int
  }

  /// - Parameter value: gives a metric, by its index in the request, of a group, by the group's number.
  /// - Complexity: O(groups · (metrics + log groups)).
  func result(
    _ groups: FoundGroups, value: (Int, Int) -> MetricValue
  ) throws(QueryStopped) -> AggregateResult {
    var kept: [Int] = []
    var values: [MetricValue] = []
    kept.reserveCapacity(groups.numbers.count)
    values.reserveCapacity(groups.numbers.count * request.metrics.count)
    for (group, number) in groups.numbers.enumerated() {
      if group & 4095 == 4095 { try stop.check() }
      let start = values.count
      for metric in request.metrics.indices { values.append(value(metric, number)) }
      if request.having.allSatisfy({ $0.test.holds(values[start + $0.metric]) }) {
        kept.append(group)
      } else {
        values.removeLast(request.metrics.count)
      }
    }
    let order = try order(kept, groups, values)
    let count = min(order.count, request.limit ?? .max)
    var result = AggregateResult(count: count, codes: [], values: [])
    result.codes.reserveCapacity(count * groups.columns)
    result.values.reserveCapacity(count * request.metrics.count)
    for place in order.prefix(count) {
      for column in 0..<groups.columns {
        result.codes.append(groups.codes[kept[place] * groups.columns + column])
      }
      for metric in request.metrics.indices {
        result.values.append(values[place * request.metrics.count + metric])
      }
    }
    return result
  }

  /// The places of the groups of `kept` in the order asked for.
  private func order(
    _ kept: [Int], _ groups: FoundGroups, _ values: [MetricValue]
  ) throws(QueryStopped) -> [Int] {
    if kept.count < 2 { return Array(kept.indices) }
    var entries = kept.indices.map { Entry(group: $0) }
    var codeCount = 1.0
    for column in 0..<groups.columns {
      let codes = kept.map { groups.codes[$0 * groups.columns + column] }
      let (ranks, base) = try ranks(of: codes, request.groupBy[column].source)
      codeCount *= Double(base)
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
      if case .columns = request.order, codeCount <= Double(4096 + kept.count * 2) {
        return Self.placed(entries, Int(codeCount))
      }
      return try sorted(entries)
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
    return try sorted(entries)
  }

  /// By keys alone, when these are hardly more than the groups: each goes to its place.
  private static func placed(_ entries: [Entry], _ keyCount: Int) -> [Int] {
    var places = [Int32](repeating: -1, count: keyCount)
    for entry in entries { places[Int(entry.key)] = Int32(entry.group) }
    var order: [Int] = []
    order.reserveCapacity(entries.count)
    for place in places where place >= 0 { order.append(Int(place)) }
    return order
  }

  private func sorted(_ entries: [Entry]) throws(QueryStopped) -> [Int] {
    // Half a millisecond at most: no need to look whether it is still wanted.
    let quickCount = 4096
    if entries.count <= quickCount {
      var entries = entries
      entries.sort { $0.primary == $1.primary ? $0.key < $1.key : $0.primary < $1.primary }
      return entries.map(\.group)
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

  /// The place of each code among the codes of a column, the absent value last.
  private func ranks(
    of codes: [UInt32], _ source: GroupColumn.Source
  ) throws(QueryStopped) -> (ranks: [Int], base: Int) {
    if let all = alphabets.ranks[source] {
      let last = all.codeCount
      return (codes.map { all.place($0) ?? last }, last + 1)
    }
    var comparisons = 0
    var rankOf: [UInt32: Int] = [:]
    do {
      let distinct = try Set(codes).sorted { left, right in
        comparisons += 1
        if comparisons & 1023 == 0 { try stop.check() }
        return alphabets.precedes(left, right, source)
      }
      rankOf.reserveCapacity(distinct.count)
      for (rank, code) in distinct.enumerated() { rankOf[code] = rank }
    } catch let stopped as QueryStopped {
      throw stopped
    } catch {
      preconditionFailure("only a stop ends a sort")
    }
    return (codes.map { rankOf[$0] ?? 0 }, max(rankOf.count, 1))
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

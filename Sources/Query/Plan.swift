// What a query is going to do, as a value that can be printed and compared.

import Columns
import Ledger

/// How one request will be answered on one cut.
package struct Plan: Sendable, CustomStringConvertible {
  /// How the rows come into order.
  enum Ordering: Sendable, Equatable {
    /// The rows lie in the order asked for; walked from one end.
    case rowOrder(ascending: Bool)
    /// Keys are compared.
    case keys(SortColumn, ascending: Bool)
  }

  let request: QueryRequest
  /// What a row must pass; what `rows` and `candidates` say already is not in it.
  let test: RowTest
  /// What a row must also pass to be on the page, but not to be counted: it comes after the cursor.
  let afterCursor: RowTest
  /// The rows that may pass.
  let rows: Range<Int>
  /// The only rows that may pass, rising, when they are known by name.
  let candidates: [RowIndex]?
  let ordering: Ordering

  /// Rows of the page: one more than the limit when it must be known whether there is a next page. Nil for
  /// all that there can be.
  var pageLimit: Int? {
    guard let limit = request.limit, limit < rows.count else { return nil }
    return request.wantsCursor ? limit + 1 : limit
  }

  /// Rows needed until the page is complete, nil for all. Never much more than there are rows, so that
  /// nothing computed from it overflows.
  var wanted: Int? { pageLimit.map { min(request.offset, rows.count) + $0 } }

  /// The number of matching rows when it is known without looking at them.
  var knownCount: Int? {
    if test == .nothing { return 0 }
    return test == .everything && candidates == nil ? rows.count : nil
  }

  /// About which part of the rows passes, when that is known from numbers of distinct values; nil if not.
  let share: Double?

  /// Rows that will be looked at, as far as that can be told beforehand.
  var scannedRowEstimate: Int {
    if test == .nothing { return 0 }
    if let candidates { return candidates.count }
    guard case .rowOrder = ordering, !request.includeCount || knownCount != nil, let wanted, let share else {
      return rows.count
    }
    // Twice what even spreading would need, and whole stripes, because they are tested at once.
    let needed = share == 0 ? Double(rows.count) : Double(min(wanted, rows.count)) / share * 2
    if test == .everything { return min(wanted, rows.count) }
    return min(Int(min(needed, 1e12)) + Layout.stripeRows, rows.count)
  }

  /// About how long it takes, in nanoseconds; good to a factor of three or so on an idle machine.
  package var estimatedNanoseconds: Int {
    let scanned = scannedRowEstimate
    if candidates != nil { return 1000 + scanned * (300 + test.cost / 10) }
    let sorting: Int
    switch ordering {
    case .rowOrder: sorting = 0
    case .keys: sorting = scanned * 2
    }
    return 2000 + scanned * (test.cost + afterCursor.cost) / 10 + sorting
  }

  /// How the rows of the page will be found.
  package var path: AccessPath {
    if test == .nothing { return .nothing }
    if candidates != nil { return .names }
    if case .rowOrder = ordering { return .newest }
    return .scan
  }

  /// Where the count will come from.
  package var countPath: CountPath {
    if !request.includeCount { return .none }
    return knownCount != nil ? .rows : path == .newest || path == .scan ? .scan : .page
  }

  /// What is expected of the path.
  package var estimate: QueryEstimate {
    QueryEstimate(rows: scannedRowEstimate, matches: knownCount, nanoseconds: estimatedNanoseconds)
  }

  /// The tests of a row, each in a few words, in the order in which they are applied.
  package var tests: [String] {
    switch test {
    case .everything: []
    case .all(let tests): tests.map(\.summary)
    default: [test.summary]
    }
  }

  /// One line for each step.
  package var description: String {
    var lines = ["table \(request.table): rows \(rows.lowerBound)..<\(rows.upperBound)"]
    if let candidates { lines.append("candidates: \(candidates.count) rows by name") }
    lines.append("filter: \(test.summary)")
    if afterCursor != .everything { lines.append("after the cursor: \(afterCursor.summary)") }
    switch ordering {
    case .rowOrder(let ascending):
      lines.append("order: rows as they lie, \(ascending ? "forwards" : "backwards")")
    case .keys(_, let ascending):
      lines.append(
        "order: first \(wanted.map { "\($0)" } ?? "all") by \(request.order.field.name)"
          + (ascending ? ", ascending" : ", descending"))
    }
    return lines.joined(separator: "\n")
  }
}

extension RowTest {
  /// The test in a few words.
  var summary: String {
    switch self {
    case .nothing: "nothing"
    case .everything: "everything"
    case .integers(let column, let set): "\(column) in \(set.ranges.count) ranges"
    case .amounts(let column, let set): "\(column) in \(set.ranges.count) ranges"
    case .codes(let column, let set):
      switch set.members {
      case .few(let codes): "\(column) \(set.isComplement ? "none" : "one") of \(codes.count) codes"
      case .bits: "\(column) \(set.isComplement ? "not " : "")in a bitmap of codes"
      }
    case .flags: "flags in a set"
    case .rows(let rows): "\(rows.count) rows by name"
    case .otherRows(let rows): "all but \(rows.count) rows"
    case .rowRange(let range): "rows \(range.lowerBound)..<\(range.upperBound)"
    case .text(let column, _, _): "\(column) read row by row"
    case .metadata: "metadata read row by row"
    case .decimal: "amount compared row by row"
    case .effectiveDate: "effective date read row by row"
    case .exists: "not deleted"
    case .after: "keys compared row by row"
    case .all(let tests): "(" + tests.map(\.summary).joined(separator: " and ") + ")"
    case .any(let tests): "(" + tests.map(\.summary).joined(separator: " or ") + ")"
    }
  }
}

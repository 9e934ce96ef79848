// What a query is going to do, as a value that can be printed and compared.

import Columns
import Ledger

/// How one request will be answered on one cut.
package struct Plan: Sendable, CustomStringConvertible {
  /// The way to the rows of the page, with what it needs.
  enum Route: Sendable {
    case nothing
    /// The rows of `walkRows`, which lie in the order asked for; from one end.
    case newest
    case timeRuns(TimeIndex, TimeSpan)
    /// Rows by name, rising.
    case names([RowIndex])
    /// One list, from its newest rows back.
    case newestOfList(ListKey)
    /// All rows of some lists.
    case lists([ListKey])
    /// The transactions of balances, newest first.
    case newestOfChains([RowIndex])
    /// All transactions of balances.
    case chains([RowIndex])
    /// Buckets in the order asked for.
    case bucketOrder(BucketSpan)
    /// All rows whose balance lies in a range.
    case bucketRange(BucketSpan)
    case codeOrder(CodeColumn, CodeRanks, start: (rank: Int?, row: RowIndex)?)
    /// From the greatest amounts of a lane on, found by zone maxima; about so many rows are looked at first.
    case zones(ZoneLane, rows: Double)
    /// Whole stripes; the page is selected from all that pass.
    case scan
  }

  /// Where the count comes from.
  enum Counting: Sendable {
    case none
    case known(Int, CountPath)
    /// All rows that match are looked at for the page anyway.
    case page
    case scan
    /// Somebody else counts, with other questions.
    case apart
  }

  let request: QueryRequest
  /// What a row must pass; what `rows` says already is not in it.
  let test: RowTest
  /// The same without the tests that the route answers by its span of times or balances.
  var testBesideRoute: RowTest
  /// What a row must also pass to be on the page, but not to be counted: it comes after the cursor.
  var afterCursor: RowTest
  /// The rows that may pass.
  let rows: Range<Int>
  /// Those of them that are not before the cursor, for walks in row order.
  var walkRows: Range<Int>
  /// The part of the rows that passes, if it is known.
  var share: Double?
  var route: Route
  var counting: Counting
  var estimate: QueryEstimate
  /// Nanoseconds after which the route is given up for the scan.
  var budget: Int
  /// Whether the time index, or another thing that must be made first, is missing, so that the plan can only
  /// be carried out on a held cut, and is to be made anew there.
  var isUnprepared = false

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
  var knownCount: Int? { if case .known(let count, _) = counting { count } else { nil } }

  /// How the rows of the page will be found.
  package var path: AccessPath {
    switch route {
    case .nothing: .nothing
    case .newest: .newest
    case .timeRuns: .timeRuns
    case .names: .names
    case .newestOfList, .lists: .list
    case .newestOfChains, .chains: .chain
    case .bucketOrder, .bucketRange: .bucket
    case .codeOrder: .codeOrder
    case .zones: .zones
    case .scan: .scan
    }
  }

  /// Where the count will come from.
  package var countPath: CountPath {
    switch counting {
    case .none: .none
    case .known(_, let path): path
    case .page: .page
    case .scan, .apart: .scan
    }
  }

  /// About how long it takes, in nanoseconds; good to a factor of three or so on an idle machine.
  package var estimatedNanoseconds: Int { estimate.nanoseconds }

  /// Whether it may be carried out while writers are kept out.
  var fitsInstant: Bool {
    if isUnprepared { return false }
    if case .scan = counting { return false }
    if case .scan = route { return false }
    switch route {
    case .bucketOrder: return estimate.nanoseconds <= PlannerCosts.instantOrder
    case .zones: return estimate.nanoseconds <= PlannerCosts.instantZones
    default: return estimate.nanoseconds <= PlannerCosts.instant
    }
  }

  /// Nanoseconds after which it is given up there.
  var instantLimit: Int {
    if case .bucketOrder = route { return PlannerCosts.instantOrderLimit }
    return PlannerCosts.instantLimit
  }

  /// Whether a held cut has what the route needs.
  var runsOnHeldCut: Bool {
    switch route {
    case .bucketOrder, .bucketRange: false
    default: true
    }
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
    lines.append("path: \(path.name)")
    lines.append("filter: \(test.summary)")
    if afterCursor != .everything { lines.append("after the cursor: \(afterCursor.summary)") }
    let order = request.order
    lines.append(
      "order: \(wanted.map { "first \($0)" } ?? "all") by \(order.field.name), "
        + (order.ascending ? "ascending" : "descending"))
    if countPath != .none { lines.append("count: \(countPath.name)") }
    return lines.joined(separator: "\n")
  }
}

/// A list of rows that the books keep.
enum ListKey: Sendable, Hashable {
  /// Balances of the ledger with that row.
  case ledger(UInt32)
  /// Balances that have, or had, the identity with that row.
  case identity(UInt32)
  /// Balances with an indicator.
  case indicator

  /// The list that holds it, and its key there.
  func list(_ books: Books) -> (lists: RowLists, key: UInt32) {
    switch self {
    case .ledger(let key): (books.balances.rowsByLedger, key)
    case .identity(let key): (books.balances.rowsByIdentity, key)
    case .indicator: (books.balances.rowsWithIndicator, 0)
    }
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

// What a query did: its path, what the planner expected, what was found, and where the time went.

import Columns

/// How the rows of a page are found.
package enum AccessPath: Sendable, Hashable, CaseIterable {
  /// No row can match.
  case nothing
  /// Rows as they lie, from the newest (or the oldest) on, until the page is full.
  case newest
  /// As `newest`, in books where some rows are older than rows before them: these come from a run of their
  /// own, sorted by time, and the page merges both.
  case timeRuns
  /// Rows that the filter names by identifier or reference.
  case names
  /// The rows of a few ledgers or identities, or all that have an indicator, from lists.
  case list
  /// The transactions of a few balances, each leading to the one before it.
  case chain
  /// Buckets of balances from the greatest (or the least) on.
  case bucket
  /// Codes in the order of their texts, the rows of each in turn.
  case codeOrder
  /// Chunks that have the greatest amounts, by their zone maxima.
  case zones
  /// Live totals of the (ledger, currency) groups: no row is looked at.
  case groups
  /// Every row, in columns; the best are selected.
  case scan

  package var name: StaticString {
    switch self {
    case .nothing: "nothing"
    case .newest: "newest"
    case .timeRuns: "time_runs"
    case .names: "names"
    case .list: "list"
    case .chain: "chain"
    case .bucket: "bucket"
    case .codeOrder: "code_order"
    case .zones: "zones"
    case .groups: "groups"
    case .scan: "scan"
    }
  }
}

/// Where the number of matching rows comes from.
package enum CountPath: Sendable, Hashable, CaseIterable {
  /// It was not asked for.
  case none
  /// A range of rows, found by binary search: a subtraction.
  case rows
  /// Live counts of the (ledger, currency) groups.
  case groups
  /// Counts of the balance buckets.
  case buckets
  /// Lengths of lists.
  case list
  /// The balance's version, which counts its transactions.
  case version
  /// The pass that found the page saw every match.
  case page
  /// A pass over the columns that only counts.
  case scan

  package var name: StaticString {
    switch self {
    case .none: "none"
    case .rows: "rows"
    case .groups: "groups"
    case .buckets: "buckets"
    case .list: "list"
    case .version: "version"
    case .page: "page"
    case .scan: "scan"
    }
  }
}

/// What a planner expects of a path.
package struct QueryEstimate: Sendable, Hashable {
  /// Rows that will be looked at until the page is full.
  package var rows = 0
  /// Rows that match in all; nil when nothing is known.
  package var matches: Int?
  /// Time for the whole query on an idle machine.
  package var nanoseconds = 0

  package init(rows: Int = 0, matches: Int? = nil, nanoseconds: Int = 0) {
    self.rows = rows
    self.matches = matches
    self.nanoseconds = nanoseconds
  }
}

/// What one query did. Plain numbers, always kept: it costs three looks at the clock.
package struct QueryTrace: Sendable, Hashable {
  package var path: AccessPath = .nothing
  package var countPath: CountPath = .none
  package var estimate = QueryEstimate()
  /// Rows that a test was applied to.
  package var rowsScanned = 0
  /// Rows that passed, as far as they were looked for.
  package var rowsMatched = 0
  /// Rows of which single values were read, one row at a time.
  package var rowsTouched = 0
  /// Chunks of 512 rows that were left out because nothing in them could pass.
  package var chunksPruned = 0
  /// Whether the path went three times past its estimate and was given up for a scan.
  package var hasFallenThrough = false
  /// Whether all was read while writers were kept out, rather than through a held cut.
  package var isInstant = false
  /// Nanoseconds for names, tests and the choice of a path.
  package var planning = 0
  /// Nanoseconds for finding the rows, and counting them in the same pass.
  package var finding = 0
  /// Nanoseconds for counting apart from the page.
  package var counting = 0
  /// Nanoseconds for ordering and choosing groups.
  package var grouping = 0
  /// Nanoseconds for copying what the page shows.
  package var copying = 0
  /// Nanoseconds for which writers were kept out; 0 on a held cut.
  package var holding = 0

  package init() {}

  /// The steps that took time, by name, in the order they were taken.
  package var steps: [(name: StaticString, nanoseconds: Int)] {
    let all: [(name: StaticString, nanoseconds: Int)] = [
      ("plan", planning), ("find", finding), ("count", counting),
      ("group", grouping), ("copy", copying),
    ]
    return all.filter { $0.nanoseconds > 0 }
  }
}

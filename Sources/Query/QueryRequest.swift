// A question to one table, decoded, and its answer as row numbers.

import Columns

/// The order of the rows. Ties are in order of creation, in the same direction; nulls come first when
/// descending and last when ascending.
package struct SortOrder: Sendable, Hashable {
  package var field: QueryField
  package var ascending: Bool

  /// - Precondition: the field is sortable.
  package init(field: QueryField, ascending: Bool) {
    precondition(field.isSortable, "\(field.name) gives no order")
    self.field = field
    self.ascending = ascending
  }
}

/// A filter with its order and its page.
package struct QueryRequest: Sendable {
  package var table: QueryTable
  package var predicates: [Predicate]
  package var combination: Combination
  /// Nil: created_at, newest first.
  package var sort: SortOrder?
  /// Rows at most; nil for all.
  package var limit: Int?
  /// Rows to leave out first (after the cursor, if there is one).
  package var offset: Int
  /// Count the rows that match, whatever page is asked for.
  package var includeCount: Bool
  /// Where the page before this one ended.
  package var cursor: Cursor?
  /// Answer with a cursor for the next page.
  package var wantsCursor: Bool

  package init(
    table: QueryTable, predicates: [Predicate] = [], combination: Combination = .all, sort: SortOrder? = nil,
    limit: Int? = 20, offset: Int = 0, includeCount: Bool = false, cursor: Cursor? = nil,
    wantsCursor: Bool = false
  ) {
    precondition(predicates.allSatisfy { $0.field.table == table }, "fields of the table that is asked")
    precondition(sort?.field.table ?? table == table, "a sort field of the table that is asked")
    precondition(limit ?? 0 >= 0 && offset >= 0, "limit and offset are not negative")
    self.table = table
    self.predicates = predicates
    self.combination = combination
    self.sort = sort
    self.limit = limit
    self.offset = offset
    self.includeCount = includeCount
    self.cursor = cursor
    self.wantsCursor = wantsCursor
  }

  /// The order asked for, or the default one.
  var order: SortOrder { sort ?? SortOrder(field: .createdAt(in: table), ascending: false) }
}

/// The rows of one page, in order. Equal results have equal rows, counts and cursors, however they were
/// found.
package struct QueryResult: Sendable, Equatable {
  package var rows: [RowIndex]
  /// Rows that match in all (not only behind the cursor), if asked for.
  package var totalCount: Int?
  /// Nil when this was the last page or no cursor was asked for.
  package var nextCursor: Cursor?
  /// How they were found.
  package var trace: QueryTrace

  package init(
    rows: [RowIndex], totalCount: Int? = nil, nextCursor: Cursor? = nil, trace: QueryTrace = QueryTrace()
  ) {
    self.rows = rows
    self.totalCount = totalCount
    self.nextCursor = nextCursor
    self.trace = trace
  }

  package static func == (left: QueryResult, right: QueryResult) -> Bool {
    left.rows == right.rows && left.totalCount == right.totalCount && left.nextCursor == right.nextCursor
  }
}

/// Why a query ended without an answer.
package enum QueryStopped: Error, Equatable, Sendable {
  /// `StopFlag.cancel` was called.
  case cancelled
  /// The flag's deadline has passed.
  case deadlineExceeded
  /// The query's cut was held too long, or kept too much replaced memory.
  case cutExpired
  /// An aggregate has more groups than `AggregateRequest.groupLimit`.
  case tooManyGroups
  /// The cursor was given out for another request.
  case foreignCursor
}

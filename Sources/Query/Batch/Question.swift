// A question for rows or for groups, its plan and its answer.

import Columns
import Ledger

/// A question of either kind.
package enum Question: Sendable {
  case rows(QueryRequest)
  case groups(AggregateRequest)

  package var table: QueryTable {
    switch self {
    case .rows(let request): request.table
    case .groups(let request): request.table
    }
  }

  package var predicates: [Predicate] {
    switch self {
    case .rows(let request): request.predicates
    case .groups(let request): request.predicates
    }
  }
}

/// The answer to a question of the same kind.
package enum Answer: Sendable, Equatable {
  case rows(QueryResult)
  case groups(AggregateResult)

  /// How it was found.
  package var trace: QueryTrace {
    switch self {
    case .rows(let result): result.trace
    case .groups(let result): result.trace
    }
  }
}

/// How a question will be answered on one cut.
package enum QuestionPlan: Sendable {
  case rows(Plan)
  case groups(GroupPlan)

  /// About how long it takes, in nanoseconds.
  package var estimatedNanoseconds: Int {
    switch self {
    case .rows(let plan): plan.estimatedNanoseconds
    case .groups(let plan): plan.estimate.nanoseconds
    }
  }

  /// The tests of a row, each in a few words, in the order in which they are applied.
  package var tests: [String] {
    switch self {
    case .rows(let plan): plan.tests
    case .groups(let plan): plan.tests
    }
  }
}

extension QueryEngine {
  /// How a question will be answered.
  package func plan(
    _ question: Question, on cut: Cut, stop: StopFlag
  ) throws(QueryStopped) -> QuestionPlan {
    switch question {
    case .rows(let request): .rows(try plan(request, on: cut, stop: stop))
    case .groups(let request): .groups(try plan(request, on: cut, stop: stop))
    }
  }
}

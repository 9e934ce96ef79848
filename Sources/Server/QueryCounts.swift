// How many queries there were, by what became of them.

import Query
import Synchronization

/// Counts queries by the way their rows were found and by where these went. Any thread.
final class QueryCounts: Sendable {
  /// Where rows go.
  enum Outlet: Sendable { case page, stream, descriptor }

  private final class Counter: Sendable {
    let value = Atomic<UInt64>(0)

    func add(_ amount: UInt64 = 1) { value.wrappingAdd(amount, ordering: .relaxed) }
    var count: Int { Int(value.load(ordering: .relaxed)) }
  }

  private let paths = AccessPath.allCases.map { _ in Counter() }
  private let pages = Counter()
  private let streamed = Counter()
  private let delivered = Counter()
  private let deliveredBytes = Counter()

  /// Counts a query whose rows are found, or are about to be.
  func count(_ path: AccessPath?, as outlet: Outlet) {
    if let path, let index = AccessPath.allCases.firstIndex(of: path) { paths[index].add() }
    switch outlet {
    case .page: pages.add()
    case .stream: streamed.add()
    case .descriptor: delivered.add()
    }
  }

  func countDelivered(byteCount: Int) { deliveredBytes.add(UInt64(byteCount)) }

  var pageCount: Int { pages.count }
  var streamCount: Int { streamed.count }
  var deliveryCount: Int { delivered.count }
  var deliveredByteCount: Int { deliveredBytes.count }

  /// Queries by path, those that never happened left out.
  var byPath: [(name: StaticString, count: Int)] {
    zip(AccessPath.allCases, paths).map { ($0.name, $1.count) }.filter { $0.count > 0 }
  }
}

// Counts and latencies by method.

import Platform
import Synchronization
import Wire

/// What `server.stats` and `server.metrics` tell of requests. Any thread may count.
final class Statistics: Sendable {
  final class Method: Sendable {
    let errors = Atomic<UInt64>(0)
    let latency = LatencyHistogram()
  }

  private let methods: [Method] = MethodName.allCases.map { _ in Method() }
  /// The clock that gave the start of each request.
  private let clock: any TimeSource
  /// Lines that held no request of a known method.
  let unknown = Method()

  init(clock: any TimeSource) { self.clock = clock }

  subscript(method: MethodName?) -> Method {
    guard let method else { return unknown }
    return methods[Int(method.rawValue)]
  }

  /// Counts a request that was answered now.
  func count(_ method: MethodName?, since start: MonotonicTime, isError: Bool, now: MonotonicTime? = nil) {
    let end = now ?? clock.monotonicTime()
    let entry = self[method]
    entry.latency.record(nanoseconds: end.nanoseconds &- min(start.nanoseconds, end.nanoseconds))
    if isError { entry.errors.wrappingAdd(1, ordering: .relaxed) }
  }
}

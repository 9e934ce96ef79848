// Latencies in log-linear buckets: small, mergeable, exact to one part in sixteen.

import Synchronization

/// Counts of durations in nanoseconds. Buckets are powers of two, each cut into 16 equal parts, so a quantile
/// is off by at most 6.25 %. Any thread may record; a reader may miss what is being recorded.
package final class LatencyHistogram: Sendable {
  private static let partBits = 4
  private static let bucketCount = (64 - partBits + 1) << partBits

  private let counts: [BucketCount]
  private let largest = Atomic<UInt64>(0)
  private let total = Atomic<UInt64>(0)

  /// An atomic that an array can hold.
  private final class BucketCount: Sendable {
    let value = Atomic<UInt64>(0)
  }

  package init() { counts = (0..<Self.bucketCount).map { _ in BucketCount() } }

  /// Counts one duration. O(1), about 10 ns.
  package func record(nanoseconds: UInt64) {
    counts[Self.bucket(nanoseconds)].value.wrappingAdd(1, ordering: .relaxed)
    total.wrappingAdd(1, ordering: .relaxed)
    if nanoseconds > largest.load(ordering: .relaxed) { largest.max(nanoseconds, ordering: .relaxed) }
  }

  package var count: UInt64 { total.load(ordering: .relaxed) }
  /// The longest duration, exactly.
  package var maximum: UInt64 { largest.load(ordering: .relaxed) }

  /// The duration below which the share `quantile` (0 to 1) of all lies; the upper end of its bucket.
  package func value(at quantile: Double) -> UInt64 {
    let count = count
    if count == 0 { return 0 }
    let rank = UInt64((Double(count) * quantile).rounded(.up))
    var seen: UInt64 = 0
    for bucket in 0..<Self.bucketCount {
      seen += counts[bucket].value.load(ordering: .relaxed)
      if seen >= max(rank, 1) { return min(Self.upperEnd(bucket), maximum) }
    }
    return maximum
  }

  static func bucket(_ value: UInt64) -> Int {
    if value < 1 << UInt64(partBits) { return Int(value) }
    let exponent = 63 - value.leadingZeroBitCount
    let part = Int(value >> UInt64(exponent - partBits)) & ((1 << partBits) - 1)
    return (exponent - partBits + 1) << partBits | part
  }

  static func upperEnd(_ bucket: Int) -> UInt64 {
    if bucket < 1 << partBits { return UInt64(bucket) }
    let exponent = (bucket >> partBits) + partBits - 1
    let part = UInt64(bucket & ((1 << partBits) - 1))
    let step = UInt64(1) << UInt64(exponent - partBits)
    return (1 << UInt64(exponent) | part << UInt64(exponent - partBits)) &+ (step - 1)
  }
}

// When the next snapshot is due. No thread and no clock of its own: the server asks.

import Platform

/// `--snapshot-every N|DURATION|off`.
package enum SnapshotInterval: Equatable, Sendable, CustomStringConvertible {
  case off
  /// After so many facts.
  case facts(UInt64)
  /// After so much time, when anything has changed.
  case time(Duration)

  /// Reads `off`, a whole number of facts (at least 1), or a number with `s`, `m` or `h` (at least a second);
  /// nil for anything else.
  package init?(_ text: String) {
    if text == "off" {
      self = .off
      return
    }
    let units: [Character: UInt64] = ["s": 1, "m": 60, "h": 3600]
    let scale = text.last.flatMap { units[$0] }
    let digits = scale == nil ? Substring(text) : text.dropLast()
    guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = UInt64(digits),
      number > 0
    else { return nil }
    guard let scale else {
      self = .facts(number)
      return
    }
    // A century is as good as never.
    guard number <= 3_155_760_000 / scale else { return nil }
    self = .time(.seconds(number * scale))
  }

  package var description: String {
    switch self {
    case .off: "off"
    case .facts(let count): "\(count)"
    case .time(let duration):
      switch duration.components.seconds {
      case let seconds where seconds % 3600 == 0: "\(seconds / 3600)h"
      case let seconds where seconds % 60 == 0: "\(seconds / 60)m"
      case let seconds: "\(seconds)s"
      }
    }
  }
}

/// Decides when the next snapshot is due, one at a time. A value: the server keeps it behind its own lock.
package struct SnapshotSchedule: Sendable, Equatable {
  package let interval: SnapshotInterval
  /// After a failure the next try waits at least so long.
  package static let retryDelay = Duration.seconds(10)

  private var lastPosition: UInt64
  private var lastTime: MonotonicTime
  private var notBefore: MonotonicTime
  package private(set) var isRunning = false

  /// - Parameters:
  ///   - position: of the newest snapshot, or of the books when they were opened.
  ///   - now: the time at which waiting begins.
  package init(_ interval: SnapshotInterval, position: UInt64, now: MonotonicTime) {
    self.interval = interval
    lastPosition = position
    lastTime = now
    notBefore = now
  }

  /// Whether a snapshot should be begun now. False while one runs and when nothing has changed since the
  /// last.
  package func isDue(position: UInt64, now: MonotonicTime) -> Bool {
    guard !isRunning, position > lastPosition, now >= notBefore else { return false }
    switch interval {
    case .off: return false
    case .facts(let count): return position - lastPosition >= count
    case .time(let duration): return now - lastTime >= duration
    }
  }

  /// How long the server may wait before it asks again; nil when only facts can make one due.
  package func delay(position: UInt64, now: MonotonicTime) -> Duration? {
    guard !isRunning else { return nil }
    switch interval {
    case .off: return nil
    case .facts: return now < notBefore ? notBefore - now : nil
    case .time(let duration):
      let due = max(lastTime + duration, notBefore)
      return due > now ? due - now : position > lastPosition ? .zero : duration
    }
  }

  /// Notes that a snapshot has begun, asked for by the schedule or by a client.
  package mutating func begin() {
    precondition(!isRunning, "one snapshot at a time")
    isRunning = true
  }

  /// Notes that it counts, at `position`.
  package mutating func succeed(position: UInt64, now: MonotonicTime) {
    precondition(isRunning, "a snapshot ends once")
    isRunning = false
    lastPosition = max(lastPosition, position)
    lastTime = now
  }

  /// Notes that it failed; the next is not tried before `retryDelay` has passed.
  package mutating func fail(now: MonotonicTime) {
    precondition(isRunning, "a snapshot ends once")
    isRunning = false
    notBefore = now + Self.retryDelay
  }
}

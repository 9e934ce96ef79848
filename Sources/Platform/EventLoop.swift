// Level-triggered epoll for one thread: tokens and readiness in, no closures, a wake-up from any thread.

import CSys
import Glibc
import Synchronization

/// What to wait for on a descriptor. Hang-ups and errors are always reported.
package struct Interest: OptionSet, Sendable, Hashable {
  package let rawValue: UInt32

  @inlinable
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static let read = Interest(rawValue: CSYS_EVENT_READ)
  package static let write = Interest(rawValue: CSYS_EVENT_WRITE)
  /// The peer has shut down its writing side; remaining input can still be read.
  package static let readHangup = Interest(rawValue: CSYS_EVENT_READ_HANGUP)
}

/// What epoll says about one descriptor.
package struct ReadyEvent: Equatable, Sendable {
  /// The token it was registered with.
  package let token: UInt64
  package let flags: UInt32

  @inlinable
  package init(token: UInt64, flags: UInt32) {
    self.token = token
    self.flags = flags
  }

  /// There is input, an end, or a client to accept.
  package var isReadable: Bool { flags & CSYS_EVENT_READ != 0 }
  package var isWritable: Bool { flags & CSYS_EVENT_WRITE != 0 }
  /// The peer writes no more.
  package var isReadHangup: Bool { flags & CSYS_EVENT_READ_HANGUP != 0 }
  /// Both directions are over (EPOLLHUP) or the descriptor has failed (EPOLLERR): read the rest, close.
  package var isBroken: Bool { flags & (CSYS_EVENT_HANGUP | CSYS_EVENT_ERROR) != 0 }
}

/// What one `wait` brought.
package struct Wakefulness: Equatable, Sendable {
  /// Events to fetch with `event(at:)`.
  package let eventCount: Int
  /// Somebody called `wakeUp.wake()` since the last wait.
  package let isWoken: Bool

  @inlinable
  package init(eventCount: Int, isWoken: Bool) {
    self.eventCount = eventCount
    self.isWoken = isWoken
  }
}

/// Wakes a loop from any thread. Many calls before the loop comes round cost one write.
package final class WakeUp: Sendable {
  fileprivate let descriptor: CInt
  private let isPending = Atomic<Bool>(false)

  fileprivate init() throws(SystemError) {
    descriptor = try Syscalls.checked(csys_eventfd(), "eventfd", "make a wake-up", nil)
  }

  deinit { Syscalls.close(descriptor) }

  /// Makes the loop's present or next `wait` return. What was stored before this call is seen after it.
  package func wake() {
    if isPending.exchange(true, ordering: .acquiringAndReleasing) { return }
    var one: UInt64 = 1
    let result = Syscalls.retrying { unsafe csys_write(descriptor, &one, 8) }
    precondition(result == 8, "an eventfd takes a one at any time")
  }

  /// Forgets the wake-ups so far; whoever queued something before they were made is seen from here on.
  fileprivate func drain() {
    var count: UInt64 = 0
    _ = Syscalls.retrying { unsafe csys_read(descriptor, &count, 8) }
    _ = isPending.exchange(false, ordering: .acquiringAndReleasing)
  }
}

/// An epoll instance with its buffer of events.
///
/// `wait` and `event(at:)` belong to one thread at a time; `add`, `modify`, `remove` and `wakeUp` to any.
/// Level-triggered: what is not read is reported again. Events of one `wait` may name a descriptor that was
/// closed while an earlier one was handled, so tokens are never reused within one round.
@safe
package struct EventLoop: ~Copyable, @unchecked Sendable {
  // @unchecked: `events` is only touched by the one thread that waits.
  private let epoll: CInt
  private let events: UnsafeMutablePointer<csys_event>
  private let capacity: Int
  /// Wakes this loop.
  package let wakeUp: WakeUp

  /// The token of the loop's own wake-up; no descriptor may be registered with it.
  private static let wakeToken = UInt64.max

  /// - Parameter capacity: events per `wait`, 1 to 256.
  package init(capacity: Int = 256) throws(SystemError) {
    precondition((1...Int(CSYS_EVENT_LIMIT)).contains(capacity), "a loop takes 1 to 256 events at a time")
    let wakeUp = try WakeUp()
    let epoll = try Syscalls.checked(csys_epoll_create(), "epoll_create1", "make an event loop", nil)
    let result = csys_epoll_add(epoll, wakeUp.descriptor, CSYS_EVENT_READ, Self.wakeToken)
    if result < 0 {
      Syscalls.close(epoll)
      throw SystemError(code: -result, call: "epoll_ctl", doing: "make an event loop")
    }
    self.epoll = epoll
    self.wakeUp = wakeUp
    self.capacity = capacity
    unsafe events = .allocate(capacity: capacity)
    unsafe events.initialize(repeating: csys_event(), count: capacity)
  }

  deinit {
    unsafe events.deallocate()
    Syscalls.close(epoll)
  }

  /// Starts reporting `descriptor` under `token` (any but UInt64.max).
  package borrowing func add(
    _ descriptor: CInt, token: UInt64, interest: Interest
  ) throws(SystemError) {
    precondition(token != Self.wakeToken, "the largest token is the loop's own")
    let result = csys_epoll_add(epoll, descriptor, interest.rawValue, token)
    _ = try Syscalls.checked(result, "epoll_ctl", "watch descriptor \(descriptor)", nil)
  }

  /// Replaces what is reported of `descriptor`. An empty interest leaves hang-ups and errors.
  package borrowing func modify(
    _ descriptor: CInt, token: UInt64, interest: Interest
  ) throws(SystemError) {
    precondition(token != Self.wakeToken, "the largest token is the loop's own")
    let result = csys_epoll_modify(epoll, descriptor, interest.rawValue, token)
    _ = try Syscalls.checked(result, "epoll_ctl", "change what is watched of descriptor \(descriptor)", nil)
  }

  /// Stops reporting `descriptor`; closing the last copy of it does the same.
  package borrowing func remove(_ descriptor: CInt) throws(SystemError) {
    let result = csys_epoll_remove(epoll, descriptor)
    _ = try Syscalls.checked(result, "epoll_ctl", "stop watching descriptor \(descriptor)", nil)
  }

  /// Waits for events, a wake-up or the end of `timeout`; a signal that interrupts it counts as no event.
  ///
  /// - Parameter timeout: nil waits for ever, zero looks without waiting; else rounded up to milliseconds.
  /// - Complexity: O(ready descriptors), one system call (two after a wake-up).
  package borrowing func wait(timeout: Duration?) throws(SystemError) -> Wakefulness {
    let milliseconds = Self.milliseconds(timeout)
    let result = unsafe csys_epoll_wait(epoll, events, CInt(capacity), milliseconds)
    if result == -EINTR { return Wakefulness(eventCount: 0, isWoken: false) }
    var count = Int(try Syscalls.checked(result, "epoll_wait", "wait for events", nil))
    var isWoken = false
    for index in 0..<count where unsafe events[index].token == Self.wakeToken {
      wakeUp.drain()
      isWoken = true
      count -= 1
      unsafe events[index] = events[count]
      break
    }
    return Wakefulness(eventCount: count, isWoken: isWoken)
  }

  /// Event number `index` of the last `wait`.
  package borrowing func event(at index: Int) -> ReadyEvent {
    precondition((0..<capacity).contains(index), "an event of the last wait")
    return unsafe ReadyEvent(token: events[index].token, flags: events[index].flags)
  }

  private static func milliseconds(_ timeout: Duration?) -> CInt {
    guard let timeout else { return -1 }
    let nanoseconds = max(0, timeout.wholeNanoseconds)
    return CInt(clamping: nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 == 0 ? 0 : 1))
  }
}

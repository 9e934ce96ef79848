// What other threads tell an event loop.

import Platform
import Storage
import Synchronization

/// A message to a loop, which acts on it between two rounds of events.
enum LoopMessage: Sendable {
  /// A connection was accepted for this loop.
  case adopt(descriptor: CInt, peer: Peer)
  /// An answer was finished elsewhere: a line with its end, and the position that it waits for.
  case finished(connection: UInt64, AnswerPlace, line: [UInt8], position: UInt64)
  /// A piece of a stream was made.
  case streamMade(StreamedAnswer)
  /// Rows cannot go into their descriptor now.
  case deliveryWaits(RowDelivery)
  /// A piece of a feed was made.
  case changesMade(connection: UInt64, ChangeFeed)
  /// Something was committed that subscribers wait for.
  case changesCommitted
  /// Look at the due stream again: it may have been cancelled.
  case lookAgain(connection: UInt64)
  /// Take no more requests, finish what was read, close.
  case drain
}

/// Who is at the other end, as the kernel says.
package struct Peer: Sendable, Equatable {
  package let credentials: PeerCredentials
  package let mayWrite: Bool

  package init(credentials: PeerCredentials, mayWrite: Bool) {
    self.credentials = credentials
    self.mayWrite = mayWrite
  }
}

/// Messages waiting for a loop. Any thread posts; the loop takes them all at once.
final class LoopInbox: Sendable {
  private let messages = Guarded<[LoopMessage]>([])
  private let wakeUp: WakeUp
  private let awaitedPosition = Atomic<UInt64>(.max)
  private let awaitsRoom = Atomic<Bool>(false)

  init(wakeUp: WakeUp) { self.wakeUp = wakeUp }

  func post(_ message: LoopMessage) {
    messages.withLock { $0.append(message) }
    wakeUp.wake()
  }

  // MARK: What the journal wakes the loop for

  /// The loop sleeps until `position` is committed, among other things; the greatest number for none.
  func await(_ position: UInt64) { awaitedPosition.store(position, ordering: .sequentiallyConsistent) }

  /// A write waits for room in the journal: each step of the journal wakes the loop.
  func awaitRoom(_ isAwaited: Bool) { awaitsRoom.store(isAwaited, ordering: .sequentiallyConsistent) }

  /// Wakes the loop if it sleeps for this. Called on the journal's threads after each step.
  func journalHasGoneOn(_ progress: JournalProgress) {
    if progress.failure != nil
      || progress.committedPosition >= awaitedPosition.load(ordering: .sequentiallyConsistent)
      || awaitsRoom.load(ordering: .sequentiallyConsistent)
    {
      wakeUp.wake()
    }
  }

  func wake() { wakeUp.wake() }

  func takeAll() -> [LoopMessage] {
    messages.withLock { waiting in
      let taken = waiting
      waiting.removeAll(keepingCapacity: taken.count <= 1024)
      return taken
    }
  }
}

// The journal at work: a thread that writes and syncs, a thread that prepares segments, and who waits for
// them.

import Ledger
import Platform
import Synchronization

/// What happened; handed to who follows the journal.
package struct JournalProgress: Sendable, Equatable {
  package var committedPosition: UInt64
  /// Room came or went: commands that were told to wait may ask again.
  package var roomChanged = false
  /// Set once: nothing more will be written.
  package var failure: StorageError?
}

/// The journal of a running server. Any thread.
///
/// Threads: "journal" drains the fact log, writes and syncs; "segments" makes files. Both begin with `init`
/// and end with `stop`.
package final class Journal: Sendable {
  package let options: JournalOptions
  package let log: FactLog
  let room: JournalRoom
  let recent: RecentGroups
  private let directory: DataDirectory
  private let written: Atomic<UInt64>
  private let durable: Atomic<UInt64>
  /// Somebody waits until this position is durable, whatever the mode.
  let wantedDurable = Atomic<UInt64>(0)
  let isStopping = Atomic<Bool>(false)
  /// The durable position stands still: the journal has failed or ended, or finds no room for what waits.
  let isHalted = Atomic<Bool>(false)
  private let observers = Guarded<[@Sendable (JournalProgress) -> Void]>([])
  private let durableGate = Gate<Void>(())
  private let durableWaiters = Atomic<Int>(0)
  /// What the journal's thread last said about itself, and the segments of earlier runs that still stand.
  private struct Bulletin {
    var counts = JournalWriter.Counts()
    var isDirect: Bool?
    var times = CommitTimes()
    var earlier: [SegmentExtent] = []
    var closed: [SegmentExtent] = []
    var current: SegmentExtent?
    /// Segments up to this number are removed.
    var removedNumber: UInt64 = 0

    /// All that stand, oldest first.
    var segments: [SegmentExtent] {
      var all = earlier + closed
      if let current { all.append(current) }
      return all.filter { $0.number > removedNumber }
    }
  }
  private let bulletin: Guarded<Bulletin>
  private let threads = Guarded<[Thread]>([])

  /// Starts the journal. Returns at once: the first segment is being made meanwhile.
  /// - Parameters:
  ///   - log: its first fact is the one after `start.position`.
  ///   - start: from the recovery.
  /// - Throws: `.failed` when memory or threads cannot be had.
  package init(
    _ directory: DataDirectory, _ identifier: DirectoryIdentifier, log: FactLog, start: JournalStart,
    options: JournalOptions = JournalOptions()
  ) throws(StorageError) {
    self.directory = directory
    self.options = options
    self.log = log
    let writer = try JournalWriter(identifier, log: log, start: start, options: options)
    room = writer.room
    recent = writer.recent
    written = Atomic(start.position)
    durable = Atomic(start.position)
    bulletin = Guarded(Bulletin(earlier: start.segments))
    let slot = WriterSlot(consume writer)
    let preparer: PreparerSlot
    do throws(SystemError) {
      preparer = PreparerSlot(try SegmentPreparer(directory, options: options, start: start))
      let segments = try Thread(name: "segments") { [self] in prepareSegments(preparer.take()) }
      threads.withLock { $0.append(segments) }
    } catch {
      throw .failed(error)
    }
    do throws(SystemError) {
      let journal = try Thread(name: "journal") { [self] in work(slot.take()) }
      threads.withLock { $0.append(journal) }
    } catch {
      endThreads()
      throw .failed(error)
    }
  }

  // MARK: Positions

  /// Up to which position answers may leave: synced, if the durability is `always`, otherwise applied.
  package var committedPosition: UInt64 { answersWait ? durablePosition : log.publishedPosition }
  /// Up to which position facts were handed to the kernel, and up to which they are synced.
  package var writtenPosition: UInt64 { written.load(ordering: .acquiring) }
  package var durablePosition: UInt64 { durable.load(ordering: .sequentiallyConsistent) }
  /// Up to which position facts may be shown to who follows the books.
  package var shownPosition: UInt64 { min(committedPosition, writtenPosition) }
  /// Whether an answer waits for a sync.
  package var answersWait: Bool { options.durability == .always }

  // MARK: Admission

  /// Asks to let a command in whose facts take `byteBound` bytes at most; `settle` follows if it is admitted.
  package func admit(byteBound: Int) -> Admission { room.admit(byteBound: byteBound) }

  /// Gives back the promise of `admit` when the command is done, whatever came of it.
  package func settle(byteBound: Int) { room.settle(byteBound: byteBound) }

  /// So much waits that connections that write should not be read further.
  package var isCrowded: Bool { log.pendingByteCount > options.softPendingByteCount }

  // MARK: Following

  /// Calls `body` on the journal's thread after each commit and on failure, on the thread "segments" when
  /// room comes or is found missing. It must not wait.
  package func onProgress(_ body: @escaping @Sendable (JournalProgress) -> Void) {
    observers.withLock { $0.append(body) }
  }

  func tell(roomChanged: Bool = false, failure: StorageError? = nil) {
    let progress = JournalProgress(
      committedPosition: committedPosition, roomChanged: roomChanged, failure: failure)
    // Under the lock: a copy of the list would be let go by a reference count, which orders nothing in the
    // eyes of the thread sanitizer. Who listens does not wait.
    observers.withLock { for observer in $0 { observer(progress) } }
  }

  /// Waits until everything up to `position` is synced, and has it synced in the modes that do not.
  /// - Throws: `.failed` when the journal fails or ends before, and when what waits finds no room: nobody was
  ///   promised any for it.
  package func waitUntilDurable(_ position: UInt64) throws(StorageError) {
    if durablePosition >= position { return }
    durableWaiters.add(1, ordering: .sequentiallyConsistent)
    defer { durableWaiters.subtract(1, ordering: .sequentiallyConsistent) }
    wantedDurable.max(position, ordering: .sequentiallyConsistent)
    log.wake()
    let isDurable = durableGate.wait { _ -> Bool? in
      if durable.load(ordering: .sequentiallyConsistent) >= position { return true }
      return isHalted.load(ordering: .sequentiallyConsistent) ? false : nil
    }
    if !isDurable { throw room.failure ?? .failed(room.full ?? .journalHasEnded(directory.path)) }
  }

  /// Records that are still in memory, from `position` on, at most up to `shownPosition`.
  /// - Returns: whole groups, at least one record; the first may be of an earlier position. Nil when the
  ///   records are not in memory any more, or not shown yet.
  package func recentRecords(from position: UInt64, byteLimit: Int = 1 << 20) -> RecentRecords? {
    recent.records(from: position, upTo: shownPosition, byteLimit: byteLimit)
  }

  /// Makes positions visible.
  func publish(_ positions: JournalPositions) {
    written.store(positions.written, ordering: .releasing)
    durable.store(positions.durable, ordering: .sequentiallyConsistent)
  }

  /// Lets those who wait for a position look again.
  func wakeWaiters() {
    if durableWaiters.load(ordering: .sequentiallyConsistent) > 0 { durableGate.updateAndWakeAll { _ in } }
  }

  /// Keeps what the journal's thread knows, for reports.
  func note(_ writer: borrowing JournalWriter, time: Duration? = nil) {
    let (counts, isDirect, closed, current) = (writer.counts, writer.isDirect, writer.closed, writer.current)
    bulletin.withLock { bulletin in
      bulletin.counts = counts
      bulletin.isDirect = isDirect
      bulletin.closed = closed
      bulletin.current = current
      if let time { bulletin.times.add(time) }
    }
  }

  // MARK: Segments

  /// The segments that hold facts, oldest first, the current one last.
  package var segments: [SegmentExtent] { bulletin.withLock { $0.segments } }

  /// Removes segments all of whose facts are at `position` or before it, except the newest.
  package func removeSegments(upTo position: UInt64) throws(StorageError) {
    let numbers = bulletin.withLock { SegmentExtent.needless($0.segments, upTo: position) }
    do throws(SystemError) {
      try SegmentExtent.remove(numbers, from: directory) { number in
        bulletin.withLock { $0.removedNumber = number }
      }
    } catch {
      throw .failed(error)
    }
  }

  /// How the journal is doing.
  package var report: JournalReport {
    // Arrays are read under the lock: the thread sanitizer does not see what reference counts order.
    let (segments, counts, isDirect, times) = bulletin.withLock {
      ($0.segments, $0.counts, $0.isDirect, $0.times.copied())
    }
    let room = room.summary
    return JournalReport(
      state: room.failure.map { .failed($0) } ?? room.full.map { .full($0) } ?? .running,
      durability: options.durability, isDirect: isDirect, committedPosition: committedPosition,
      writtenPosition: writtenPosition, durablePosition: durablePosition, segmentCount: segments.count,
      segmentByteCount: segments.reduce(0) { $0 + $1.byteCount }, newestSegment: segments.last?.number ?? 0,
      preparedCount: room.preparedCount, freeByteCount: room.freeByteCount,
      pendingByteCount: log.pendingByteCount, groupCount: counts.groups,
      sealCount: counts.seals, syncCount: counts.syncs,
      recordByteCount: counts.recordBytes, writtenByteCount: counts.writtenBytes,
      commitTimes: times)
  }

  // MARK: Stop

  /// Writes and syncs what stands in the log, writes a seal, ends the threads. Nothing is admitted
  /// afterwards.
  /// - Throws: the failure, if the journal has failed.
  package func stop() throws(StorageError) {
    endThreads()
    if let failure = room.failure { throw failure }
  }

  private func endThreads() {
    isStopping.store(true, ordering: .sequentiallyConsistent)
    log.wake()
    let ended = threads.withLock { threads in
      let taken = threads
      threads = []
      return taken
    }
    // "segments" came first and goes last: what is left may need a segment that is not made yet.
    for thread in ended.dropFirst() { thread.join() }
    room.stop()
    ended.first?.join()
  }
}

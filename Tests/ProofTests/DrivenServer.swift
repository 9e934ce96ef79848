// A server without threads: a test says when it executes, commits, prepares segments, seals, takes snapshots.

import Ledger
import LedgerSupport
import Platform
import TestSupport

@testable import Storage

/// Sizes that make every case of the journal happen within some hundred facts.
enum Tiny {
  static var journal: JournalOptions {
    var options = JournalOptions()
    options.firstSegmentByteCount = 16 << 10
    options.segmentByteCount = 40 << 10
    options.leastSegmentByteCount = 12 << 10
    options.groupByteCount = 6 << 10
    options.minimumFreeByteCount = 0
    options.recentByteCount = 64 << 10
    return options
  }
}

/// Books with their journal and snapshots on one disk, driven step by step; tells the history what it
/// promises.
final class DrivenServer {
  static let path = "/books"

  let books: Books
  let store: SnapshotStore
  let history: History
  private let opened: OpenedBooks
  private let log: FactLog
  private var writer: JournalWriter
  private var preparer: SegmentPreparer
  private(set) var refusedCount = 0
  /// Segments that are gone.
  private var removed: Set<UInt64> = []

  /// Goes on with what a start has found.
  init(
    _ opened: OpenedBooks, history: History, options: JournalOptions = Tiny.journal
  ) throws(StorageError) {
    self.opened = opened
    self.history = history
    books = opened.books
    store = opened.store
    log = opened.log
    writer = try JournalWriter(store.identifier, log: opened.log, start: opened.start, options: options)
    do throws(SystemError) {
      preparer = try SegmentPreparer(store.directory, options: options, start: opened.start)
    } catch {
      throw .failed(error)
    }
    history.note(books.position, digest: books.cut().digest())
    let access = Access(self)
    store.attach(
      SnapshotJournal(
        waitUntilDurable: { position throws(StorageError) in try access.server.waitUntilDurable(position) },
        segments: { access.server.segments },
        removeSegments: { position throws(StorageError) in
          try access.server.removeSegments(upTo: position)
        }))
  }

  /// The way of the snapshots to their server.
  private final class Access: @unchecked Sendable {
    // @unchecked: everything here happens on one thread.
    unowned let server: DrivenServer
    init(_ server: DrivenServer) { self.server = server }
  }

  /// Everything up to here is on the disk, as far as anyone was told.
  var durablePosition: UInt64 { writer.positions.durable }

  /// The journal has failed: a server ends now.
  var hasFailed: Bool { writer.room.failure != nil }

  // MARK: Steps

  /// Carries a command out if the journal has room for it.
  /// - Returns: whether it was let in.
  @discardableResult
  func execute(
    _ command: Command, _ key: IdempotencyKey?, answer: (Result<Execution, Refusal>) -> Void = { _ in }
  ) throws(StorageError) -> Bool {
    let bound = Books.encodedByteBound(of: command, key: key)
    for _ in 0..<4 {
      switch writer.room.admit(byteBound: bound) {
      case .admitted:
        let before = books.position
        do throws(Refusal) { answer(.success(try books.execute(command, key: key))) } catch {
          answer(.failure(error))
        }
        writer.room.settle(byteBound: bound)
        if books.position != before { history.note(books.position, digest: books.cut().digest()) }
        return true
      case .later: try prepare()
      case .busy: try commit()
      case .full:
        refusedCount += 1
        return false
      case .failed(let error): throw error
      }
    }
    refusedCount += 1
    return false
  }

  /// Makes the segments that are wanted, as the thread "segments" does.
  func prepare() throws(StorageError) {
    while let needed = writer.room.shortage(ahead: 1) {
      do throws(SystemError) {
        guard let segment = try preparer.prepare(needed: needed) else { return }
        writer.room.add(segment)
      } catch {
        guard SegmentPreparer.mayPass(error) else {
          writer.room.fail(.failed(error))
          throw .failed(error)
        }
        _ = writer.room.noteFull(error)
        return
      }
    }
  }

  /// Writes what waits, group by group, and tells the clients.
  func commit() throws(StorageError) {
    while true {
      let step = try writer.commitPending()
      acknowledge()
      switch step {
      case .nothing: return
      case .wrote: continue
      case .waitsForSegment:
        try prepare()
        if writer.room.summary.preparedCount == 0 { return }
      }
    }
  }

  /// Writes one group at most.
  func commitOnce() throws(StorageError) {
    if try writer.commitPending() == .waitsForSegment { try prepare() }
    acknowledge()
  }

  func sync() throws(StorageError) {
    try writer.sync()
    acknowledge()
  }

  func seal(isCleanStop: Bool = false) throws(StorageError) {
    try writer.seal(isCleanStop: isCleanStop)
    acknowledge()
  }

  private func acknowledge() { history.acknowledge(writer.positions.durable) }

  /// Takes a snapshot as the server does, and lets go of what it makes needless.
  func takeSnapshot() throws(StorageError) { try store.create(books.cut()) }

  /// The journal as the snapshots see it.
  private func waitUntilDurable(_ position: UInt64) throws(StorageError) {
    try commit()
    try sync()
    // The first fact of new books is let in by nobody; without any segment it waits, and so would a server.
    if writer.positions.durable < position { throw .busy }
  }

  private var segments: [SegmentExtent] {
    (opened.start.segments + writer.begun).filter { !removed.contains($0.number) }
  }

  private func removeSegments(upTo position: UInt64) throws(StorageError) {
    try StorageError.wrapping { () throws(SystemError) in
      try SegmentExtent.remove(SegmentExtent.needless(segments, upTo: position), from: store.directory) {
        removed.insert($0)
      }
    }
  }

  func stop() throws(StorageError) {
    try commit()
    try seal(isCleanStop: true)
  }
}

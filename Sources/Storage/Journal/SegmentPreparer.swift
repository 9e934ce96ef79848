// Making segments ready: a file of zeros, synced, under its name, before anything is written to it.

import Platform

/// What an attempt to make a segment came to.
package enum Preparation: Sendable, Equatable {
  /// There are enough of them.
  case notNeeded
  /// One more is ready. Commands may have been told to wait for it.
  case prepared(hadWaiters: Bool)
  /// There is no room. Commands may have been told to wait.
  case full(SystemError, hadWaiters: Bool)
  /// The journal is being stopped.
  case stopped
}

/// Makes segments, each after the last, without a thread of its own. One owner.
package struct SegmentPreparer: ~Copyable {
  private static let pieceByteCount = 1 << 20

  private let directory: DataDirectory
  private let options: JournalOptions
  private let zeros: PageMemory
  private var nextNumber: UInt64
  /// Prepared by an earlier run and not yet looked at, oldest first.
  private var leftovers: [PreparedExtent]
  private var nextByteCount: Int
  /// Past the page cache: found out with the first segment.
  private(set) var isDirect: Bool

  /// - Parameters:
  ///   - start: the same that the writer begins with.
  package init(
    _ directory: DataDirectory, options: JournalOptions, start: JournalStart
  ) throws(SystemError) {
    self.directory = directory
    self.options = options
    let prepared = try PageMemory(byteCount: Self.pieceByteCount, prefault: true)
    zeros = prepared
    nextNumber = start.nextSegment
    leftovers = start.prepared
    nextByteCount = SegmentFormat.padded(
      max(options.firstSegmentByteCount, SegmentFormat.leastByteCount))
    isDirect = options.direct
  }

  /// Makes a segment if the room asks for one.
  /// - Throws: `.failed` when the disk itself fails; the room knows it by then, and nothing is admitted any
  ///   more.
  package mutating func prepareIfShort(_ room: JournalRoom) throws(StorageError) -> Preparation {
    guard let needed = room.shortage(ahead: 1) else { return .notNeeded }
    do throws(SystemError) {
      guard let segment = try prepare(needed: needed, isStopping: { room.isStopping }) else {
        return .stopped
      }
      return .prepared(hadWaiters: room.add(segment))
    } catch {
      if Self.mayPass(error) { return .full(error, hadWaiters: room.noteFull(error)) }
      // Nothing that would be promised from here on could be kept.
      let failure = StorageError.failed(error)
      room.fail(failure)
      throw failure
    }
  }

  /// Makes the next segment, or takes one over that an earlier run has made and not used.
  /// - Parameters:
  ///   - needed: bytes of groups that it must have room for.
  ///   - isStopping: asked between writes; nil is returned when it says so.
  /// - Throws: what `isFull` is true of, and the file is gone again; or another failure.
  mutating func prepare(needed: Int, isStopping: () -> Bool = { false }) throws(SystemError) -> SegmentFile? {
    while !leftovers.isEmpty {
      let leftover = leftovers.removeFirst()
      if leftover.byteCount >= Self.leastByteCount(for: needed), let segment = try take(leftover) {
        return segment
      }
      // Too small for what waits: numbers only rise, so it will never be used.
      try directory.removeFile(SegmentName.name(leftover.number))
    }
    let least = max(Self.leastByteCount(for: needed), SegmentFormat.padded(options.leastSegmentByteCount))
    var byteCount = max(least, nextByteCount)
    while true {
      do throws(SystemError) {
        guard let segment = try make(byteCount, isStopping) else { return nil }
        let largest = SegmentFormat.padded(max(options.segmentByteCount, SegmentFormat.leastByteCount))
        nextByteCount = min(nextByteCount * 4, max(largest, nextByteCount))
        return segment
      } catch {
        // A smaller one may still find its place.
        guard Self.isFull(error), byteCount > least else { throw error }
        byteCount = max(least, SegmentFormat.padded(byteCount / 4))
      }
    }
  }

  /// Whether the error says that there is no room, which may come again.
  static func isFull(_ error: SystemError) -> Bool { error.name == "ENOSPC" || error.name == "EDQUOT" }

  /// Whether the same may succeed later: no room on the disk, no descriptor, no memory. Anything else, and
  /// every failure of a sync, is a failing disk.
  static func mayPass(_ error: SystemError) -> Bool {
    let isSync = error.call == "fdatasync" || error.call == "fsync"
    return isFull(error) || !isSync && ["EMFILE", "ENFILE", "ENOMEM", "EAGAIN", "EINTR"].contains(error.name)
  }

  /// The head, a seal at the end, and what is needed.
  private static func leastByteCount(for needed: Int) -> Int {
    SegmentFormat.padded(needed) + 2 * SegmentFormat.blockByteCount
  }

  private func checkFree(_ file: borrowing OpenFile, _ byteCount: Int) throws(SystemError) {
    if options.minimumFreeByteCount == 0 { return }
    let free = try file.freeBytes()
    if free < byteCount + options.minimumFreeByteCount {
      throw SystemError.noSpace(directory.path, free: free, least: options.minimumFreeByteCount)
    }
  }

  private mutating func make(_ byteCount: Int, _ isStopping: () -> Bool) throws(SystemError) -> SegmentFile? {
    let number = nextNumber
    let name = SegmentName.name(number)
    let temporary = SegmentName.unfinishedName(number)
    if try directory.status(of: temporary) != nil { try directory.removeFile(temporary) }
    do throws(SystemError) {
      let file = try create(temporary)
      try checkFree(file, byteCount)
      var done = 0
      while done < byteCount {
        if isStopping() {
          try directory.removeFile(temporary)
          return nil
        }
        let count = min(Self.pieceByteCount, byteCount - done)
        unsafe try file.write(UnsafeRawBufferPointer(start: zeros.base, count: count), at: done)
        done += count
      }
      if !PlantedFaults.has(.unsyncedSegment) { try file.sync() }
      try directory.rename(temporary, to: name)
      if !PlantedFaults.has(.skippedDirectorySync) { try directory.sync() }
      nextNumber += 1
      return SegmentFile(number: number, byteCount: byteCount, file: file)
    } catch {
      try? directory.removeFile(temporary)
      throw error
    }
  }

  private mutating func create(_ name: String) throws(SystemError) -> OpenFile {
    if isDirect {
      do throws(SystemError) {
        return try directory.open(name, .createNew, direct: true)
      } catch {
        guard error.name == "EINVAL" else { throw error }
        isDirect = false
        if try directory.status(of: name) != nil { try directory.removeFile(name) }
      }
    }
    return try directory.open(name, .createNew)
  }

  /// Takes over a segment of zeros; nil if it holds anything else by now.
  private mutating func take(_ leftover: PreparedExtent) throws(SystemError) -> SegmentFile? {
    let name = SegmentName.name(leftover.number)
    let file: OpenFile
    do throws(SystemError) {
      file = try directory.open(name, .readWrite, direct: isDirect)
    } catch {
      guard isDirect, error.name == "EINVAL" else { throw error }
      isDirect = false
      file = try directory.open(name, .readWrite)
    }
    let isWhole = try file.size() == leftover.byteCount
    let window = try SegmentWindow(file, byteCount: leftover.byteCount)
    guard isWhole, try window.isZero(from: 0) else { return nil }
    return SegmentFile(number: leftover.number, byteCount: leftover.byteCount, file: window.takeFile())
  }
}

extension SystemError {
  /// Facts were put into the log after the journal had ended.
  static func journalHasEnded(_ path: String) -> SystemError {
    // ECANCELED.
    SystemError(
      code: 125, call: "pwrite", doing: "write facts into the journal, which has ended, in", path: path)
  }

  /// The disk has room, but not beyond what is to be left free.
  static func noSpace(_ path: String, free: Int, least: Int) -> SystemError {
    // ENOSPC: callers look at nothing else.
    SystemError(
      code: 28, call: "fstatvfs",
      doing: "make a segment of the journal with \(free) bytes free (\(least) are to be left free) in",
      path: path)
  }
}

// The journal read on one thread and replayed on another, so that reading, verifying and applying overlap.

import Ledger
import Platform

/// What a replay did.
struct ReplayOutcome {
  /// Facts that were applied.
  var factCount = 0
  /// Checksum of the record of the last fact in the books, if it was met.
  var chain: UInt64?
  /// Position of the last fact that was read, whether applied or not.
  var lastRead: UInt64 = 0
  /// How the journal ends; nil when it was not read to its end.
  var end: JournalEnd?
  /// Why reading or applying ended early.
  var failure: StorageError?
  /// The greatest numbers that were seen, when there is no `end`.
  var greatest: (incarnation: UInt32, group: UInt64) = (0, 0)
}

/// Reads the journal ahead of the thread that applies its facts, by at most three batches.
@safe final class JournalReplay: Sendable {
  /// Records of whole commands, copied out of the reader's window.
  private final class Batch: @unchecked Sendable {
    // @unchecked: one thread at a time has it; the queue hands it over.
    var bytes = BlockBytes(capacity: JournalReplay.batchByteCount * 2)
  }

  private struct State {
    var ready: [Batch] = []
    var spare: [Batch] = [Batch(), Batch(), Batch()]
    var outcome: ReplayOutcome?
    var isAbandoned = false
  }

  /// A reader on its way to its thread.
  private final class ReaderSlot: @unchecked Sendable {
    // @unchecked: filled before the thread starts, taken once by it.
    private var reader: JournalReader?

    init(_ reader: consuming JournalReader) { self.reader = consume reader }

    func take() -> JournalReader {
      guard let reader = reader.take() else { preconditionFailure("a reader is taken once") }
      return reader
    }
  }

  private static let batchByteCount = 1 << 20

  private let survey: JournalSurvey
  private let state = Gate(State())

  init(_ survey: JournalSurvey) { self.survey = survey }

  /// Brings the books forward.
  /// - Parameters:
  ///   - books: without a log; nobody else uses them.
  ///   - target: facts after it are read, not applied; nil applies all. Only whole commands are applied.
  ///   - observer: called with the facts applied so far.
  /// - Returns: what was done; a failure is in it, not thrown.
  func run(
    _ books: Books, upTo target: UInt64?, observer: (_ factCount: Int) -> Void
  ) -> ReplayOutcome {
    let position = books.position
    // The fact before the first to be applied is read as well when it is known to be there: what is written
    // after it will be chained to its record.
    let isBefore =
      target != nil && position > 0
      && survey.entries.contains { $0.beginning?.firstPosition ?? .max <= position }
    let slot = ReaderSlot(JournalReader(survey, after: isBefore ? position - 1 : position))
    let thread: Thread
    do throws(SystemError) {
      let planted = PlantedFaults.current
      thread = try Thread(name: "replay", body: { planted.apply { self.readAll(slot.take()) } })
    } catch {
      return ReplayOutcome(failure: .failed(error))
    }
    defer {
      state.updateAndWakeAll { $0.isAbandoned = true }
      thread.join()
    }
    return apply(books, target, observer)
  }

  private func apply(
    _ books: Books, _ target: UInt64?, _ observer: (_ factCount: Int) -> Void
  ) -> ReplayOutcome {
    var replayer = FactReplayer(books)
    var factCount = 0
    var chain: UInt64?
    while let batch = nextBatch() {
      let first = books.position
      let part = unsafe RecordSelection(batch.bytes.bytes, after: first, upTo: target ?? .max)
      if let checksum = part.checksum { chain = checksum }
      do throws(ReplayFault) {
        unsafe try replayer.apply(part.bytes)
      } catch {
        return ReplayOutcome(
          factCount: factCount + Int(books.position - first), failure: failure(error))
      }
      factCount += Int(books.position - first)
      observer(factCount)
      giveBack(batch)
    }
    var outcome = state.withLock { $0.outcome } ?? ReplayOutcome()
    outcome.factCount = factCount
    outcome.chain = chain
    return outcome
  }

  private func failure(_ fault: ReplayFault) -> StorageError {
    let entry = survey.entries.last { $0.beginning?.firstPosition ?? .max <= fault.position }
    let path = entry?.path ?? survey.directory.path
    let found = StorageFault(path: path, finding: fault.description)
    return fault.isNewer ? .foreign(found) : .damaged(found)
  }

  // MARK: Between the threads

  private func nextBatch() -> Batch? {
    let batch: Batch?? = state.wait { state in
      if !state.ready.isEmpty { return .some(state.ready.removeFirst()) }
      return state.outcome == nil ? nil : .some(nil)
    }
    return batch ?? nil
  }

  private func giveBack(_ batch: Batch) {
    state.updateAndWakeAll { state in
      batch.bytes.removeAll()
      state.spare.append(batch)
    }
  }

  private func takeSpare() -> Batch? {
    let batch: Batch?? = state.wait { state in
      if state.isAbandoned { return .some(nil) }
      return state.spare.popLast().map { .some($0) }
    }
    return batch ?? nil
  }

  // MARK: The reading thread

  private func readAll(_ reader: consuming JournalReader) {
    var reader = reader
    var outcome = ReplayOutcome()
    var batch: Batch?
    do throws(StorageError) {
      while let run = try reader.next() {
        if batch == nil {
          guard let spare = takeSpare() else { return }
          batch = spare
        }
        guard let filling = batch else { return }
        unsafe filling.bytes.append(run.bytes)
        outcome.lastRead = run.lastPosition
        if filling.bytes.count >= Self.batchByteCount {
          state.updateAndWakeAll { $0.ready.append(filling) }
          batch = nil
        }
      }
      outcome.end = reader.end
    } catch {
      outcome.failure = error
      // What follows may hold numbers that must not be given again.
      var rest = TailRest()
      try? reader.scanRest(&rest, from: reader.offset)
    }
    outcome.greatest = reader.greatest
    state.updateAndWakeAll { state in
      if let batch { state.ready.append(batch) }
      state.outcome = outcome
    }
  }
}

/// The part of a batch that is to be applied: whole commands after one position and up to another.
@safe struct RecordSelection {
  let bytes: UnsafeRawBufferPointer
  /// Checksum of the last record at or before the end of the part; nil when the batch begins after it.
  private(set) var checksum: UInt64?

  /// - Parameter batch: records of whole commands that the reader has verified.
  init(_ batch: UnsafeRawBufferPointer, after first: UInt64, upTo last: UInt64) {
    var start = 0
    var end = 0
    var place = 0
    while place < batch.count {
      let head = unsafe try? RecordHead(UnsafeRawBufferPointer(rebasing: batch[place...]))
      // A record that cannot be read is for the replayer to name.
      guard let head, head.recordByteCount <= batch.count - place else {
        end = batch.count
        break
      }
      if head.position > last { break }
      place += head.recordByteCount
      if head.position <= first { start = place }
      if head.endsUnit || head.position <= first || PlantedFaults.has(.halfUnits) {
        end = place
        checksum = head.checksum
      }
    }
    unsafe bytes = unsafe UnsafeRawBufferPointer(rebasing: batch[start..<max(start, end)])
  }
}

// The answers of one connection in the order of its requests, whenever each of them is finished.

import Ledger
import Wire

/// Where an answer belongs: the request's place on its connection, and its place in a batch.
package struct AnswerPlace: Hashable, Sendable {
  package let slot: UInt64
  /// Number of the answer in its batch; nil for a request of its own.
  package let part: Int?

  package init(slot: UInt64, part: Int? = nil) {
    self.slot = slot
    self.part = part
  }
}

/// Answers on their way out: those that wait for their position or for the socket, then those that are not
/// finished and finished ones behind them. A value without sockets: answers go in at any time, bytes come out
/// in order, and none before its position is committed.
struct AnswerQueue: ~Copyable {
  private enum Slot {
    case unfinished
    case finished([UInt8], position: UInt64)
    /// Answers of a batch, in order; `missing` of them are not finished. It waits for the greatest position
    /// of its answers.
    case batch([[UInt8]?], missing: Int, position: UInt64)
    case stream(StreamedAnswer)
  }

  /// What comes before all slots.
  private var front = HeldAnswers()
  private var slots: [Slot] = []
  private var head = 0
  private var nextNumber: UInt64 = 0
  /// Bytes of finished answers in slots.
  private var slotByteCount = 0
  /// Streams in slots.
  private var streamCount = 0

  init() {}

  var isEmpty: Bool { front.isEmpty && head == slots.count }
  /// Requests that are not finished or wait behind one that is not.
  var count: Int { slots.count - head }
  /// Bytes of finished answers that wait.
  var waitingByteCount: Int { front.byteCount + slotByteCount }
  /// Bytes that may leave and that the socket has not taken.
  var leavingByteCount: Int { front.leavingByteCount }
  /// The least position that something here waits for, with all before it finished.
  var awaitedPosition: UInt64? {
    if let position = front.awaitedPosition { return position }
    guard front.isEmpty, head < slots.count, case .stream(let answer) = slots[head] else { return nil }
    return answer.position
  }

  // MARK: Answers go in

  /// Opens a place at the end.
  mutating func open() -> UInt64 { append(.unfinished) }

  /// Opens a place for a batch with that many answers, at least one.
  mutating func openBatch(answerCount: Int) -> UInt64 {
    precondition(answerCount > 0, "a batch of notifications has no answer")
    return append(.batch(Array(repeating: nil, count: answerCount), missing: answerCount, position: 0))
  }

  /// A finished answer (a line with its end) at the end. `write` makes it and says from which committed
  /// position on it may leave; when it throws, there is no answer.
  mutating func append<Failure: Error>(
    _ write: (inout JSONWriter) throws(Failure) -> UInt64
  ) throws(Failure) {
    if count == 0 { return try front.append(write) }
    var writer = JSONWriter(capacity: 512)
    let position = try write(&writer)
    slotByteCount += writer.count
    _ = append(.finished(writer.copied(), position: position))
  }

  /// Takes over answers from before everything that is here, while nothing but slots is: bytes of `output`
  /// that may leave from the committed `position` on.
  mutating func takeOver(_ output: borrowing JSONWriter, _ range: Range<Int>, position: UInt64) {
    front.append { front in
      front.raw(output, range)
      return position
    }
  }

  private mutating func append(_ slot: Slot) -> UInt64 {
    slots.append(slot)
    nextNumber += 1
    return nextNumber - 1
  }

  /// Fills a place with an answer: a line with its end. Each place is filled once.
  mutating func finish(_ place: AnswerPlace, _ line: [UInt8], position: UInt64) {
    let index = index(place.slot)
    switch (slots[index], place.part) {
    case (.unfinished, nil):
      slots[index] = .finished(line, position: position)
    case (.batch(var answers, let missing, let before), let part?):
      precondition(answers[part] == nil, "each answer of a batch is finished once")
      slots[index] = .unfinished
      answers[part] = line
      slots[index] = .batch(answers, missing: missing - 1, position: max(before, position))
    default: preconditionFailure("an answer fits its place")
    }
    slotByteCount += line.count
  }

  /// Lets the rows of a query flow from their place, once the answers before it are out and its cut is
  /// committed. Does nothing for a stream that has begun.
  mutating func beginStream(_ answer: StreamedAnswer) {
    let index = index(answer.place.slot)
    switch slots[index] {
    case .unfinished: slots[index] = .stream(answer)
    case .stream: return
    case .finished, .batch: preconditionFailure("a stream begins in its place")
    }
    streamCount += 1
  }

  /// The streams that have begun and not ended. O(places), if there are any.
  var streams: [StreamedAnswer] {
    if streamCount == 0 { return [] }
    return slots[head...].compactMap { if case .stream(let answer) = $0 { answer } else { nil } }
  }

  // MARK: Answers come out

  /// Moves what is finished behind everything that is to leave before it, and lets go of what waits for no
  /// more than `committed`. O(bytes moved).
  mutating func settle(_ committed: UInt64) {
    moving: while head < slots.count {
      switch slots[head] {
      case .finished(let line, let position):
        front.append { output in
          output.raw(line.span)
          return position
        }
        slotByteCount -= line.count
      case .batch(let answers, missing: 0, let position):
        front.append { output in
          Self.write(answers, into: &output)
          return position
        }
        slotByteCount -= answers.reduce(0) { $0 + ($1?.count ?? 0) }
      default: break moving
      }
      removeHead()
    }
    front.release(committed)
  }

  /// The bytes that may leave, for a system call: of whole answers unless part of one has left already.
  /// `settle` comes before it. Valid until the next change.
  @unsafe
  var leavingBytes: UnsafeRawBufferPointer { unsafe front.leavingBytes }

  /// Takes away the first bytes of those that may leave: they have left.
  mutating func sent(_ count: Int) { front.sent(count) }

  /// The place whose answer comes next; the answers of all places before it have left their places.
  var frontSlot: UInt64 { nextNumber - UInt64(slots.count - head) }
  /// Nothing is on its way out before the slots.
  var isFrontEmpty: Bool { front.isEmpty }
  /// Bytes that have left, and those that have or wait before the slots, since the connection began.
  var leftByteCount: UInt64 { front.leftByteCount }
  var frontByteCount: UInt64 { front.leftByteCount + UInt64(front.byteCount) }

  /// Puts whole or cut lines before everything that waits, none of which may leave now: the socket did not
  /// take them.
  mutating func putFirst(_ bytes: ArraySlice<UInt8>) { front.putFirst(bytes) }

  /// The stream that is due now: all answers before it are out, and what its rows show is committed.
  func dueStream(_ committed: UInt64) -> StreamedAnswer? {
    guard front.isEmpty, head < slots.count, case .stream(let answer) = slots[head],
      answer.position <= committed
    else { return nil }
    return answer
  }

  /// Takes the stream away that stands first, its last line taken.
  mutating func endStream(_ stream: StreamedAnswer) {
    guard head < slots.count, case .stream(let first) = slots[head], first === stream else {
      preconditionFailure("the stream stands first")
    }
    streamCount -= 1
    removeHead()
  }

  /// Drops what waits before all unfinished answers: nobody is there to read it.
  mutating func dropFront() { front.removeAll() }

  /// Gives memory back while nothing waits.
  mutating func releaseMemory() {
    if isEmpty { front.releaseMemory() }
  }

  // MARK: When nothing more will be committed

  /// Puts an error in the place of each answer that has waited for a position, now that none will come: what
  /// it tells may be lost. Call it again when more answers are finished.
  /// - Parameter write: makes the error answer to the request with that id.
  /// - Returns: the stream that stands first and will not begin; it is taken away and has been answered.
  mutating func failHeld(
    _ committed: UInt64, _ write: (RequestID, inout JSONWriter) -> Void
  ) -> StreamedAnswer? {
    settle(committed)
    for line in front.takeHeld().split(separator: UInt8(ascii: "\n")) {
      let answered = AnsweredIDs(line)
      let errors = answered.ids.map { id -> [UInt8]? in
        var output = JSONWriter(capacity: 256)
        write(id, &output)
        return output.copied()
      }
      front.append { output in
        if answered.isBatch {
          Self.write(errors, into: &output)
        } else if let error = errors[0] {
          output.raw(error.span)
        }
        return 0
      }
    }
    guard head < slots.count, case .stream(let answer) = slots[head], answer.position > committed else {
      return nil
    }
    streamCount -= 1
    removeHead()
    front.append { output in
      write(answer.id, &output)
      return 0
    }
    return answer
  }

  // MARK: Details

  /// Writes a batch's answers as one array on one line.
  private static func write(_ answers: [[UInt8]?], into output: inout JSONWriter) {
    for (number, answer) in answers.enumerated() {
      output.raw(number == 0 ? "[" : ",")
      guard let answer else { preconditionFailure("every answer of the batch is there") }
      let end = answer.last == UInt8(ascii: "\n") ? answer.count - 1 : answer.count
      output.raw(answer.span.extracting(0..<end))
    }
    output.raw("]\n")
  }

  private mutating func removeHead() {
    slots[head] = .unfinished
    head += 1
    if head == slots.count {
      slots.removeAll(keepingCapacity: slots.capacity <= 64)
      head = 0
    } else if head >= 64, head * 2 >= slots.count {
      slots.removeFirst(head)
      head = 0
    }
  }

  private func index(_ slot: UInt64) -> Int {
    let first = nextNumber - UInt64(slots.count)
    precondition(slot >= first && slot < nextNumber, "an open place")
    return Int(slot - first)
  }
}

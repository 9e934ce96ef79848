// The answers of one connection in the order of its requests, whenever each of them is finished.

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

/// Answers that are not finished, and finished ones that wait behind them. A value without sockets: answers
/// go in at any time, bytes come out in order.
struct AnswerQueue {
  private enum Slot {
    case unfinished
    case finished([UInt8])
    /// Answers of a batch, in order; `missing` of them are not finished.
    case batch([[UInt8]?], missing: Int)
    case stream(StreamedAnswer)
  }

  private var slots: [Slot] = []
  private var head = 0
  private var nextNumber: UInt64 = 0
  /// Bytes of finished answers that wait.
  package private(set) var waitingByteCount = 0

  package init() {}

  package var isEmpty: Bool { head == slots.count }
  /// Requests that are not finished or wait behind one that is not.
  package var count: Int { slots.count - head }

  /// Opens a place at the end.
  package mutating func open() -> UInt64 { append(.unfinished) }

  /// Opens a place for a batch with that many answers, at least one.
  package mutating func openBatch(answerCount: Int) -> UInt64 {
    precondition(answerCount > 0, "a batch of notifications has no answer")
    return append(.batch(Array(repeating: nil, count: answerCount), missing: answerCount))
  }

  /// A finished answer (a line with its end) at the end.
  package mutating func appendFinished(_ line: [UInt8]) {
    waitingByteCount += line.count
    _ = append(.finished(line))
  }

  private mutating func append(_ slot: Slot) -> UInt64 {
    slots.append(slot)
    nextNumber += 1
    return nextNumber - 1
  }

  /// Fills a place with an answer: a line with its end. Each place is filled once.
  package mutating func finish(_ place: AnswerPlace, _ line: [UInt8]) {
    let index = index(place.slot)
    switch (slots[index], place.part) {
    case (.unfinished, nil):
      waitingByteCount += line.count
      slots[index] = .finished(line)
    case (.batch(var answers, let missing), let part?):
      precondition(answers[part] == nil, "each answer of a batch is finished once")
      slots[index] = .unfinished
      waitingByteCount += line.count
      answers[part] = line
      slots[index] = .batch(answers, missing: missing - 1)
    default: preconditionFailure("an answer fits its place")
    }
  }

  /// Lets the rows of a query flow from a place, once the answers before it are out.
  package mutating func beginStream(_ slot: UInt64, _ answer: StreamedAnswer) {
    let index = index(slot)
    guard case .unfinished = slots[index] else { preconditionFailure("a stream begins in its place") }
    slots[index] = .stream(answer)
  }

  /// The stream that is due now: all answers before it are out.
  package var dueStream: StreamedAnswer? {
    guard head < slots.count, case .stream(let answer) = slots[head] else { return nil }
    return answer
  }

  /// Takes the due stream away, its last line written.
  package mutating func endDueStream() {
    precondition(dueStream != nil, "a stream is due")
    removeHead()
  }

  /// Moves what is finished at the front into `output`, up to about `byteLimit` bytes.
  package mutating func takeFinished(into output: inout JSONWriter, byteLimit: Int) {
    while head < slots.count, output.count < byteLimit {
      switch slots[head] {
      case .finished(let line):
        output.raw(line.span)
        waitingByteCount -= line.count
      case .batch(let answers, missing: 0):
        waitingByteCount -= Self.write(answers, into: &output)
      default: return
      }
      removeHead()
    }
  }

  /// Writes a batch's answers as one array on one line; returns the bytes that they had.
  private static func write(_ answers: [[UInt8]?], into output: inout JSONWriter) -> Int {
    var byteCount = 0
    for (number, answer) in answers.enumerated() {
      output.raw(number == 0 ? "[" : ",")
      guard let answer else { preconditionFailure("every answer of the batch is there") }
      byteCount += answer.count
      let end = answer.last == UInt8(ascii: "\n") ? answer.count - 1 : answer.count
      output.raw(answer.span.extracting(0..<end))
    }
    output.raw("]\n")
    return byteCount
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

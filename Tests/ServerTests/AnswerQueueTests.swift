// Answers come out in the order of the requests, whenever each is finished, and none before its position.

import TestSupport
import Testing
import Wire

@testable import Server

struct AnswerQueueTests {
  /// What leaves when `committed` is reached, at most `limit` bytes of it.
  private func taken(_ queue: inout AnswerQueue, _ committed: UInt64 = .max, limit: Int = .max) -> String {
    queue.settle(committed)
    let text = unsafe String(decoding: queue.leavingBytes.prefix(limit), as: UTF8.self)
    queue.sent(min(limit, queue.leavingByteCount))
    return text
  }

  private func line(_ text: String) -> [UInt8] { Array((text + "\n").utf8) }

  private func append(_ queue: inout AnswerQueue, _ text: String, _ position: UInt64 = 0) {
    queue.append { output in
      output.raw(Array((text + "\n").utf8).span)
      return position
    }
  }

  private func answer(_ id: String) -> String {
    var output = JSONWriter()
    AnswerWriter.beginResult(RequestID(json: id), into: &output)
    output.string("a } b ] c \" \n")
    AnswerWriter.endResult(position: nil, into: &output)
    return String(output.text().dropLast())
  }

  // MARK: Order

  @Test func finishedAnswersWaitBehindAnUnfinishedOne() {
    var queue = AnswerQueue()
    let first = queue.open()
    append(&queue, "2")
    #expect(taken(&queue) == "")
    #expect(queue.waitingByteCount == 2)
    queue.finish(AnswerPlace(slot: first), line("1"), position: 0)
    #expect(taken(&queue) == "1\n2\n")
    #expect(queue.isEmpty && queue.waitingByteCount == 0)
  }

  @Test func aBatchComesOutWholeInTheOrderOfItsRequests() {
    var queue = AnswerQueue()
    let batch = queue.openBatch(answerCount: 3)
    queue.finish(AnswerPlace(slot: batch, part: 2), line("c"), position: 0)
    queue.finish(AnswerPlace(slot: batch, part: 0), line("a"), position: 0)
    #expect(taken(&queue) == "")
    queue.finish(AnswerPlace(slot: batch, part: 1), line("b"), position: 0)
    #expect(taken(&queue) == "[a,b,c]\n")
    #expect(queue.isEmpty && queue.waitingByteCount == 0)
  }

  @Test func whatTheSocketDoesNotTakeStaysFirst() {
    var queue = AnswerQueue()
    for number in 0..<4 { append(&queue, "\(number)") }
    #expect(taken(&queue, limit: 3) == "0\n1")
    append(&queue, "4")
    #expect(taken(&queue) == "\n2\n3\n4\n")
    #expect(queue.isEmpty == true)
  }

  // MARK: Positions

  @Test func anAnswerIsHeldUntilItsPositionIsCommitted() {
    var queue = AnswerQueue()
    append(&queue, "1", 7)
    #expect(queue.awaitedPosition == 7)
    #expect(taken(&queue, 6) == "" && queue.leavingByteCount == 0 && queue.waitingByteCount == 2)
    #expect(taken(&queue, 7) == "1\n")
    #expect(queue.awaitedPosition == nil && queue.isEmpty)
  }

  @Test func anAnswerThatWaitsForNothingWaitsBehindOneThatDoes() {
    var queue = AnswerQueue()
    append(&queue, "1")
    append(&queue, "2", 7)
    append(&queue, "3")
    append(&queue, "4", 5)
    append(&queue, "5", 9)
    #expect(taken(&queue, 6) == "1\n")
    #expect(taken(&queue, 8) == "2\n3\n4\n")
    #expect(taken(&queue, 9) == "5\n")
  }

  @Test func aBatchWaitsForTheGreatestOfItsPositions() {
    var queue = AnswerQueue()
    let batch = queue.openBatch(answerCount: 2)
    queue.finish(AnswerPlace(slot: batch, part: 0), line("a"), position: 9)
    queue.finish(AnswerPlace(slot: batch, part: 1), line("b"), position: 4)
    #expect(taken(&queue, 8) == "" && queue.awaitedPosition == 9)
    #expect(taken(&queue, 9) == "[a,b]\n")
  }

  @Test func answersTakenOverStandBeforeTheSlots() {
    var queue = AnswerQueue()
    let slot = queue.open()
    var output = JSONWriter()
    output.raw("x\ny\n")
    queue.takeOver(output, 0..<2, position: 0)
    queue.takeOver(output, 2..<4, position: 3)
    queue.finish(AnswerPlace(slot: slot), line("z"), position: 0)
    #expect(taken(&queue, 2) == "x\n")
    #expect(taken(&queue, 3) == "y\nz\n")
  }

  @Test func aThrownAnswerLeavesNothingBehind() {
    struct Refused: Error {}
    var queue = AnswerQueue()
    append(&queue, "1", 7)
    #expect(throws: Refused.self) {
      try queue.append { output throws(Refused) in
        output.raw("half")
        throw Refused()
      }
    }
    #expect(taken(&queue, 7) == "1\n" && queue.isEmpty)
  }

  // MARK: Failure

  @Test func afterAFailureEveryHeldAnswerIsAnErrorForTheSameRequest() {
    var queue = AnswerQueue()
    append(&queue, answer("1"))
    append(&queue, answer("2"), 7)
    append(&queue, "[\(answer(#""a\"]}""#)),\(answer("null")),\(answer("-1.5e3"))]", 8)
    let open = queue.open()
    append(&queue, answer("9"), 9)
    append(&queue, answer("10"), 1)
    let fail: (inout AnswerQueue) -> Void = { queue in
      let stream = queue.failHeld(6) { id, output in
        output.raw("E")
        output.raw(Array(id.json.utf8).span)
        output.endLine()
      }
      #expect(stream == nil)
    }
    fail(&queue)
    #expect(taken(&queue, 6) == answer("1") + "\nE2\n[E\"a\\\"]}\",Enull,E-1.5e3]\n")
    queue.finish(AnswerPlace(slot: open), line(answer("3")), position: 6)
    fail(&queue)
    // What stands behind one that failed has not been told to wait for less.
    #expect(taken(&queue, 6) == answer("3") + "\nE9\nE10\n")
    #expect(queue.isEmpty && queue.awaitedPosition == nil)
  }

  // MARK: Laws

  /// One connection's worth of random answers. None leaves before its position, all leave in order, and what
  /// waits is counted.
  @Test(arguments: Seed.sample(32))
  func anyScriptGivesTheOrderOfAskingAndHoldsEachAnswer(seed: Seed) {
    var random = SeededGenerator(seed)
    var queue = AnswerQueue()
    var twin = QueueTwin()
    var committed: UInt64 = 0
    for number in 0..<600 {
      let position = UInt64.random(in: 0...committed + 20, using: &random)
      switch Int.random(in: 0..<6, using: &random) {
      case 0: twin.open([AnswerPlace(slot: queue.open())], number)
      case 1, 2:
        append(&queue, "\(number)", position)
        twin.append("\(number)\n", position)
      case 3:
        let count = Int.random(in: 1...4, using: &random)
        let slot = queue.openBatch(answerCount: count)
        twin.open((0..<count).map { AnswerPlace(slot: slot, part: $0) }, number)
      case 4:
        for _ in 0..<Int.random(in: 0...8, using: &random) {
          guard let (place, text) = twin.finishOne(position, using: &random) else { break }
          queue.finish(place, line(text), position: position)
        }
      default:
        committed += UInt64.random(in: 0...12, using: &random)
        let limit = Int.random(in: 0...60, using: &random)
        twin.take(taken(&queue, committed, limit: limit), committed)
        #expect(queue.waitingByteCount == twin.waitingByteCount, "\(seed)")
      }
    }
    while let (place, text) = twin.finishOne(committed, using: &random) {
      queue.finish(place, line(text), position: committed)
    }
    twin.take(taken(&queue), .max)
    #expect(twin.problems == [] && twin.isEmpty, "\(seed)")
    #expect(queue.isEmpty && queue.waitingByteCount == 0, "\(seed)")
  }

  // MARK: Pieces of the change stream

  @Test func whatIsPutFirstLeavesAtOnceAndHoldsUpNothing() {
    var queue = AnswerQueue()
    append(&queue, "0")
    #expect(taken(&queue) == "0\n")
    append(&queue, "1", 7)
    append(&queue, "2", 9)
    #expect(taken(&queue, 6) == "")
    queue.putFirst(line("cut off in the middle")[8...])
    #expect(queue.leavingByteCount == 14)
    #expect(taken(&queue, 6, limit: 3) == "in ")
    #expect(taken(&queue, 7) == "the middle\n1\n")
    #expect(taken(&queue, 8) == "")
    append(&queue, "3", 8)
    #expect(taken(&queue, 9) == "2\n3\n")
    #expect(queue.isEmpty && queue.waitingByteCount == 0)
  }

  @Test func whatHasLeftIsCountedFromTheBeginning() {
    var queue = AnswerQueue()
    let slot = queue.open()
    #expect(queue.frontSlot == slot)
    append(&queue, "later")
    queue.finish(AnswerPlace(slot: slot), line("12345"), position: 4)
    queue.settle(3)
    #expect(queue.frontSlot == slot + 2)
    #expect(queue.leftByteCount == 0 && queue.frontByteCount == 12)
    queue.putFirst(line("abc")[...])
    #expect(queue.frontByteCount == 16)
    #expect(taken(&queue, 4) == "abc\n12345\nlater\n")
    #expect(queue.leftByteCount == 16 && queue.isFrontEmpty)
  }
}

/// What a queue should do, with one record for each request.
private struct QueueTwin {
  private struct Entry {
    var places: [AnswerPlace]
    var parts: [String?]
    var position: UInt64 = 0
    var isBatch = false

    var text: String? {
      let texts = parts.compactMap { $0 }
      if texts.count < parts.count { return nil }
      return isBatch ? "[" + texts.joined(separator: ",") + "]\n" : texts[0] + "\n"
    }
  }

  private var entries: [Entry] = []
  /// Bytes of the first entry that have left.
  private var leftOfFirst = 0
  private(set) var problems: [String] = []

  var isEmpty: Bool { entries.isEmpty }

  /// Answers that are finished count, a batch's array only when it is whole and no place before it is open.
  var waitingByteCount: Int {
    var isFront = true
    var sum = -leftOfFirst
    for entry in entries {
      if let text = entry.text, isFront || !entry.isBatch {
        sum += text.utf8.count
      } else {
        isFront = false
        sum += entry.parts.reduce(0) { $0 + ($1.map { $0.utf8.count + 1 } ?? 0) }
      }
    }
    return sum
  }

  mutating func open(_ places: [AnswerPlace], _ number: Int) {
    entries.append(
      Entry(places: places, parts: places.map { _ in nil }, isBatch: places[0].part != nil))
  }

  mutating func append(_ line: String, _ position: UInt64) {
    entries.append(Entry(places: [], parts: [String(line.dropLast())], position: position))
  }

  mutating func finishOne(
    _ position: UInt64, using random: inout SeededGenerator
  ) -> (AnswerPlace, String)? {
    let open = entries.indices.flatMap { entry in
      entries[entry].parts.indices.filter { entries[entry].parts[$0] == nil }.map { (entry, $0) }
    }
    guard let (entry, part) = open.randomElement(using: &random) else { return nil }
    let text = String(UInt32.random(in: 0...UInt32.max, using: &random))
    entries[entry].parts[part] = text
    entries[entry].position = max(entries[entry].position, position)
    return (entries[entry].places[part], text)
  }

  /// Checks what has left against what may have.
  mutating func take(_ text: String, _ committed: UInt64) {
    var rest = Substring(text)
    while !rest.isEmpty {
      guard let first = entries.first, let whole = first.text else {
        return problems.append("\(rest) left before it was finished")
      }
      if first.position > committed { problems.append("\(whole) left at \(committed)") }
      let expected = whole.dropFirst(leftOfFirst)
      let part = rest.prefix(expected.count)
      if !expected.hasPrefix(part) { return problems.append("\(part) left in place of \(expected)") }
      rest = rest.dropFirst(part.count)
      leftOfFirst += part.count
      if leftOfFirst == whole.count {
        entries.removeFirst()
        leftOfFirst = 0
      }
    }
  }
}

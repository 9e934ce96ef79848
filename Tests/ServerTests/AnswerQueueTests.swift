// Answers come out in the order of the requests, whenever they are finished.

import TestSupport
import Testing
import Wire

@testable import Server

struct AnswerQueueTests {
  private func taken(_ queue: inout AnswerQueue, byteLimit: Int = .max) -> String {
    var output = JSONWriter()
    queue.takeFinished(into: &output, byteLimit: byteLimit)
    return output.text()
  }

  private func line(_ text: String) -> [UInt8] { Array((text + "\n").utf8) }

  @Test func finishedAnswersWaitBehindAnUnfinishedOne() {
    var queue = AnswerQueue()
    let first = queue.open()
    queue.appendFinished(line("2"))
    #expect(taken(&queue) == "")
    #expect(queue.waitingByteCount == 2)
    queue.finish(AnswerPlace(slot: first), line("1"))
    #expect(taken(&queue) == "1\n2\n")
    #expect(queue.isEmpty && queue.waitingByteCount == 0)
  }

  @Test func aBatchComesOutWholeInTheOrderOfItsRequests() {
    var queue = AnswerQueue()
    let batch = queue.openBatch(answerCount: 3)
    queue.finish(AnswerPlace(slot: batch, part: 2), line("c"))
    queue.finish(AnswerPlace(slot: batch, part: 0), line("a"))
    #expect(taken(&queue) == "")
    queue.finish(AnswerPlace(slot: batch, part: 1), line("b"))
    #expect(taken(&queue) == "[a,b,c]\n")
    #expect(queue.isEmpty && queue.waitingByteCount == 0)
  }

  @Test func takingStopsAtTheByteLimit() {
    var queue = AnswerQueue()
    for _ in 0..<10 { queue.appendFinished(line("0123456789")) }
    #expect(taken(&queue, byteLimit: 30).utf8.count == 33)
    #expect(queue.count == 7)
  }

  @Test(arguments: Seed.sample(16))
  func anyOrderOfFinishingGivesTheOrderOfAsking(seed: Seed) {
    var random = SeededGenerator(seed)
    var queue = AnswerQueue()
    var open: [(AnswerPlace, String)] = []
    var expected = ""
    var output = ""
    for number in 0..<400 {
      switch Int.random(in: 0..<4, using: &random) {
      case 0:
        open.append((AnswerPlace(slot: queue.open()), "\(number)"))
        expected += "\(number)\n"
      case 1:
        queue.appendFinished(line("\(number)"))
        expected += "\(number)\n"
      case 2:
        let count = Int.random(in: 1...4, using: &random)
        let slot = queue.openBatch(answerCount: count)
        for part in 0..<count { open.append((AnswerPlace(slot: slot, part: part), "\(number).\(part)")) }
        expected += "[" + (0..<count).map { "\(number).\($0)" }.joined(separator: ",") + "]\n"
      default:
        for _ in 0..<Int.random(in: 0...6, using: &random) where !open.isEmpty {
          let chosen = open.remove(at: Int.random(in: 0..<open.count, using: &random))
          queue.finish(chosen.0, line(chosen.1))
        }
        output += taken(&queue, byteLimit: Int.random(in: 1...200, using: &random))
      }
    }
    for (place, text) in open.shuffled(using: &random) { queue.finish(place, line(text)) }
    output += taken(&queue)
    #expect(output == expected, "\(seed)")
    #expect(queue.isEmpty && queue.waitingByteCount == 0, "\(seed)")
  }
}

// Random commands, a third of them wrong, answered by the books and by the naive books.

import Amounts
import Columns
import Ledger
import LedgerSupport
import Platform
import TestSupport
import Testing

@Suite struct NaiveTwinTests {
  @Test(arguments: Seed.sample(12))
  func everyAnswerIsTheTwinsAnswer(seed: Seed) throws {
    var random = CommandSource(seed)
    let clock = ManualClock()
    let books = Books(clock: clock, seed: (seed.value, 1))
    var twin = NaiveBooks()
    for step in 0..<400 {
      if Int.random(in: 0..<4, using: &random.generator) == 0 { clock.advance(by: .milliseconds(1)) }
      if Int.random(in: 0..<50, using: &random.generator) == 0 {
        clock.setWall(Microseconds(clock.wallTime().count - 5_000_000))
      }
      let (command, key) = random.command()
      let answer = result { () throws(Refusal) in try books.execute(command, key: key) }
      let batch = batchIdentifier(of: answer)
      let expected = result { () throws(Refusal) in
        try twin.execute(command, key: key, at: clock.wallTime(), batch: batch)
      }
      try #require(answer == expected, "\(seed) step \(step): \(command)")
      #expect(books.position == twin.position, "\(seed) step \(step)")
      if step % 40 == 39 {
        let cut = books.cut()
        #expect(books.checkInvariants(on: cut) == [], "\(seed) step \(step)")
        #expect(twin.differences(from: cut) == [], "\(seed) step \(step)")
      }
    }
    let cut = books.cut()
    let copy = try restoredCopy(of: cut, clock: clock)
    #expect(copy.cut().digest() == cut.digest(), "\(seed)")
    #expect(copy.checkInvariants(on: copy.cut()) == [], "\(seed)")
    // The copy goes on as the books do.
    for step in 0..<100 {
      let (command, key) = random.command()
      let answer = result { () throws(Refusal) in try copy.execute(command, key: key) }
      let batch = batchIdentifier(of: answer)
      let expected = result { () throws(Refusal) in
        try twin.execute(command, key: key, at: clock.wallTime(), batch: batch)
      }
      try #require(answer == expected, "\(seed) step \(step) of the copy: \(command)")
    }
    #expect(twin.differences(from: copy.cut()) == [], "\(seed) at the end")
  }

  private func result(_ body: () throws(Refusal) -> Execution) -> Result<Execution, Refusal> {
    do throws(Refusal) { return .success(try body()) } catch { return .failure(error) }
  }

  private func batchIdentifier(of answer: Result<Execution, Refusal>) -> Identifier? {
    guard case .success(let execution) = answer, case .transactions(let batch, _) = execution.outcome else {
      return nil
    }
    return batch
  }
}

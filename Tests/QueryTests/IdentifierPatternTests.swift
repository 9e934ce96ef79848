// Patterns over the bits of identifiers, against the same patterns over their texts.

import Columns
import Ledger
import Platform
import TestSupport
import Testing

@testable import Query

@Suite struct IdentifierPatternTests {
  /// Patterns made of pieces of a text that exists, with and without a change.
  private static func pattern(_ text: String, _ generator: inout SeededGenerator) -> String {
    let characters = Array(text)
    var pattern = Bool.random(using: &generator) ? "%" : ""
    for _ in 0..<Int.random(in: 1...3, using: &generator) {
      let start = pattern.isEmpty ? 0 : Int.random(in: 0..<characters.count, using: &generator)
      let count = [1, 1, 2, 3, 4, 9, 14, 40].randomElement(using: &generator)!
      pattern += String(characters[start..<min(start + count, characters.count)])
      if Int.random(in: 0..<8, using: &generator) == 0 { pattern += "_" }
      if Int.random(in: 0..<4, using: &generator) > 0 { pattern += "%" }
    }
    if Int.random(in: 0..<6, using: &generator) == 0 { pattern += String(characters.suffix(3)) }
    return pattern
  }

  @Test(arguments: Seed.sample(4)) func masksAgreeWithTheText(_ seed: Seed) throws {
    var generator = seed.generator
    let random = try RandomBooks(seed: seed, shape: BooksShape())
    let cut = random.books.cut()
    for (table, kind, count) in [
      (QueryTable.balances, EntityKind.balance, cut.balanceCount),
      (.transactions, .transaction, cut.transactionCount), (.ledgers, .ledger, cut.ledgerCount),
      (.identities, .identity, cut.identityCount),
    ] {
      let reader = RowReader(cut: cut, table: table)
      for _ in 0..<80 {
        let known = reader.identifiers[RowIndex(Int.random(in: 0..<count, using: &generator))].text(
          kind: kind)
        var text = Self.pattern(known, &generator)
        if Int.random(in: 0..<10, using: &generator) == 0 {
          text = ["%", "", "%b%", "%d%", "%_%", "_%", "%-%", "%-7%", "%l%", "%A%", "%id%", "%n_0%"]
            .randomElement(using: &generator)!
        }
        let like = LikePattern(text, ignoresCase: Bool.random(using: &generator))
        let pattern = IdentifierPattern(like, kind: kind)
        let wrong = (0..<count).filter { row in
          let name = reader.identifiers[RowIndex(row)].text(kind: kind)
          return pattern.matches(RowIndex(row), reader.identifiers, reader)
            != like.matches(Array(name.utf8).span)
        }
        let stored = unsafe reader.identifiers.storedIdentifiers(from: RowIndex(0), count: count)
        let missed = (0..<count).filter { row in
          let start = row & ~63
          let candidates = unsafe pattern.candidates(
            stored.baseAddress!.advanced(by: start), count: min(64, count - start))
          let isCandidate = candidates >> UInt64(row & 63) & 1 != 0
          let fits = pattern.matches(RowIndex(row), reader.identifiers, reader)
          return unsafe isCandidate != fits && (fits || (pattern.isExact && stored[row].isUUID))
        }
        #expect(missed.isEmpty, "\(seed) \(text) rows \(missed.prefix(3))")
        #expect(wrong.isEmpty, "\(seed) \(text) rows \(wrong.prefix(3))")
      }
    }
  }
}

// The table of cases, row by row.

import Testing

@testable import Storage

struct TailTableTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var name: String
    var finding: TailFinding
    var verdict: TailVerdict
    var testDescription: String { name }

    init(
      _ name: String, _ place: TailFinding.Place, open: Bool = false, next: TailFinding.Next? = nil,
      remains: Bool = false, durable: UInt64? = nil, _ verdict: TailVerdict
    ) {
      self.name = name
      finding = TailFinding(
        place: place, position: 100, hasOpenUnit: open, next: next, hasRemains: remains, durable: durable)
      self.verdict = verdict
    }
  }

  private static func next(
    _ run: TailFinding.Next.Run, _ position: UInt64, isChained: Bool = true
  ) -> TailFinding.Next {
    TailFinding.Next(run: run, firstPosition: position, isChained: isChained)
  }

  static let rows: [Row] = [
    Row("nothing follows", .zeros, .ends),
    Row("the segment is full", .fileEnd, .ends),
    Row("the server stopped", .cleanStop, .ends),
    Row("a command is not finished", .zeros, open: true, .torn),
    Row("a command is not finished in a full segment", .fileEnd, open: true, .torn),
    Row("a start that was torn after a stop", .cleanStop, remains: true, durable: 99, .torn),
    Row(
      "a start that was synced after a stop", .cleanStop, remains: true, durable: 100,
      .damaged(.syncedFactIsMissing)),
    Row("a stop in the middle of a command", .cleanStop, open: true, .torn),
    Row("scraps without a head", .zeros, remains: true, .torn),
    Row("a half written group", .noGroup, remains: true, .torn),
    Row("a half written record", .badRecord, remains: true, .torn),
    Row("a lost group before an unsynced one", .zeros, remains: true, durable: 99, .torn),
    Row("a torn group before an unsynced one", .noGroup, remains: true, durable: 99, .torn),
    Row(
      "a lost group that was synced", .zeros, remains: true, durable: 100, .damaged(.syncedFactIsMissing)),
    Row(
      "a bad group that was synced", .noGroup, remains: true, durable: 100, .damaged(.syncedFactIsMissing)),
    Row(
      "a bad synced record", .badRecord, remains: true, durable: 205, .damaged(.syncedFactIsMissing)),
    Row("the next segment", .zeros, next: next(.same, 100), .goesOn),
    Row("the next segment of a full one", .fileEnd, next: next(.same, 100), .goesOn),
    Row("a command over two segments", .fileEnd, open: true, next: next(.same, 100), .goesOn),
    Row("a segment is missing", .fileEnd, next: next(.same, 150), .damaged(.factsAreMissing(upTo: 149))),
    Row("a fact twice", .zeros, next: next(.same, 90), .damaged(.segmentsOverlap)),
    Row("another fact before", .zeros, next: next(.same, 100, isChained: false), .damaged(.otherFactBefore)),
    Row("a start after a clean stop", .cleanStop, next: next(.later, 100), .goesOn),
    Row("a start that cut a torn end", .noGroup, next: next(.later, 100), .goesOn),
    Row("a start that cut whole facts", .superseded, next: next(.later, 100), .goesOn),
    Row(
      "a fact lost before a start", .badRecord, next: next(.later, 101),
      .damaged(.factsAreMissing(upTo: 100))),
    Row(
      "a start on other facts", .superseded, next: next(.later, 100, isChained: false),
      .damaged(.otherFactBefore)),
    Row(
      "a start within a command", .zeros, open: true, next: next(.later, 100), .damaged(.commandIsCutInTwo)),
    Row("a segment of an earlier run", .zeros, next: next(.earlier, 100), .damaged(.runsOutOfOrder)),
  ]

  @Test(arguments: rows)
  func everyRowHasItsVerdict(_ row: Row) { #expect(TailTable.verdict(row.finding) == row.verdict) }

  @Test
  func nothingSyncedIsEverCut() {
    let places: [TailFinding.Place] = [.zeros, .fileEnd, .noGroup, .badRecord, .cleanStop]
    for place in places {
      for isOpen in [false, true] {
        for durable in UInt64(95)...105 {
          let finding = TailFinding(
            place: place, position: 100, hasOpenUnit: isOpen, next: nil, hasRemains: true, durable: durable)
          let verdict = TailTable.verdict(finding)
          #expect((verdict == .damaged(.syncedFactIsMissing)) == (durable >= 100))
        }
      }
    }
  }

  /// Zeros behind the records of a group that are no zeros any more: the fact after them may well be there.
  @Test
  func aSyncedGroupIsWholeToItsLastByte() {
    for durable in UInt64(95)...105 {
      let finding = TailFinding(
        place: .noGroup, position: 100, hasOpenUnit: false, next: nil, hasRemains: true, durable: durable,
        proof: 99)
      #expect(TailTable.verdict(finding) == (durable >= 99 ? .damaged(.syncedGroupHasChanged) : .torn))
    }
  }

  @Test
  func everyDamageHasAText() {
    let all: [TailVerdict.Damage] = [
      .syncedFactIsMissing, .factsAreMissing(upTo: 120), .segmentsOverlap, .otherFactBefore, .runsOutOfOrder,
      .commandIsCutInTwo, .syncedGroupHasChanged,
    ]
    #expect(Set(all.map { $0.text(100) }).count == all.count)
    #expect(all[1].text(100) == "facts 100 to 120 are missing: the next segment begins with 121")
  }
}

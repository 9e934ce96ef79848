// The wall clock of the real program jumps, back and forth: times in the books never fall.

import Foundation
import LedgerlineClient
import Platform
import TestSupport
import Testing

@Suite struct ClockJumpTests {
  /// A second, an hour, ten days, ten years, and the year 1970.
  private static let shifts = [
    0, -1, 1, -3600, 3600, -864_000, 864_000, -315_360_000, 315_360_000, -1_700_000_000,
  ]

  /// Times as texts that sort as the times do: nine digits after the point.
  private static func sortable(_ time: String) -> String {
    let parts = time.dropLast().split(separator: ".")
    let fraction = parts.count > 1 ? String(parts[1]) : ""
    return (parts.first ?? "") + "." + fraction.padding(toLength: 9, withPad: "0", startingAt: 0)
  }

  private static func transfer(_ number: Int) -> String {
    #"{"source":"@world","destination":"@till","currency":"USD","precise_amount":"1","#
      + #""reference":"c\#(number)","allow_overdraft":true}"#
  }

  @Test(arguments: Seed.sample(Effort.choose(1, long: 50)))
  func timesInTheBooksNeverFall(seed: Seed) throws {
    var random = seed.generator
    let directory = try TemporaryDirectory()
    guard let clock = try ShiftedClock(in: directory, for: "jumps of the clock") else { return }
    var last = ""
    var number = 0
    var years: Set<Substring> = []
    for round in 0..<Effort.choose(4, long: 12) {
      // The first time is the true one, so that the years show whether the clock was shifted.
      if round > 0 { try clock.set(Self.shifts.randomElement(using: &random)!) }
      let server = try ServerProcess(in: directory, ["--snapshot-every", "off"], shell: clock.shell)
      let client = try server.connect()
      for _ in 0..<60 {
        if number % 4 == 3 { try clock.set(Self.shifts.randomElement(using: &random)!) }
        let made = try client.call("transactions.create", Self.transfer(number))
        let time = Self.sortable(made["result"]?["created_at"]?.string ?? "")
        #expect(time >= last, "\(seed) c\(number): \(made.text)")
        last = time
        years.insert(time.prefix(4))
        number += 1
      }
      let snapshot = try client.call("snapshots.create", #"{"wait":true}"#)
      #expect(snapshot["result"] != nil, "\(snapshot.text)")
      _ = try client.call("transactions.create", Self.transfer(number))
      number += 1
      server.signal(Bool.random(using: &random) ? SIGKILL : SIGTERM)
      _ = server.end()
    }
    #expect(years.count > 1, "\(years)")
    let server = try ServerProcess(in: directory)
    let client = try server.connect()
    last = ""
    for number in 0..<number {
      let found = try client.call("transactions.get_by_reference", #"{"reference":"c\#(number)"}"#)
      let time = Self.sortable(found["result"]?["created_at"]?.string ?? "")
      #expect(time >= last, "\(seed) c\(number): \(found.text)")
      last = time
    }
    server.signal(SIGTERM)
    #expect(server.end().code == 0)
  }
}

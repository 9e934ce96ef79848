// The newest groups in memory, and what is missing between them.

import Testing

@testable import Storage

struct RecentGroupsTests {
  @Test
  func onlyGroupsThatFollowEachOtherAreGivenTogether() throws {
    let recent = try RecentGroups(byteCount: 64 << 10)
    // The group with fact 3 was too large to be kept.
    for position: UInt64 in [1, 2, 4, 5] {
      let place = try #require(recent.room(4096))
      recent.keep(place, byteCount: 4096, records: 64..<96, firstPosition: position, lastPosition: position)
    }
    #expect(recent.records(from: 1, upTo: 5, byteLimit: 1 << 20)?.lastPosition == 2)
    #expect(recent.records(from: 3, upTo: 5, byteLimit: 1 << 20) == nil)
    #expect(recent.records(from: 4, upTo: 5, byteLimit: 1 << 20)?.lastPosition == 5)
    #expect(recent.records(from: 1, upTo: 1, byteLimit: 1 << 20)?.lastPosition == 1)
  }
}

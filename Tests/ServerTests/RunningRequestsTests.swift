// What is running can be found by connection, by id and by the age of its cut.

import Platform
import Query
import Testing
import Wire

@testable import Server

struct RunningRequestsTests {
  private func entry(_ id: Int, slot: UInt64, cutSecond: UInt64?, _ inbox: LoopInbox) -> RunningRequests.Entry
  {
    RunningRequests.Entry(
      id: RequestID(json: "\(id)"), place: AnswerPlace(slot: slot), stop: StopFlag(), inbox: inbox, user: 0,
      cutTakenAt: cutSecond.map { MonotonicTime(nanoseconds: $0 * 1_000_000_000) })
  }

  private func stopped(_ entry: RunningRequests.Entry) -> QueryStopped? {
    do throws(QueryStopped) {
      try entry.stop.check()
      return nil
    } catch {
      return error
    }
  }

  private func inbox() throws -> LoopInbox {
    let events = try EventLoop()
    return LoopInbox(wakeUp: events.wakeUp)
  }

  @Test func cancelStopsThatIDOfThatConnectionAlone() throws {
    let running = RunningRequests()
    let inbox = try inbox()
    let entries = [entry(1, slot: 0, cutSecond: nil, inbox), entry(2, slot: 1, cutSecond: nil, inbox)]
    for entry in entries { running.add(5, entry) }
    let writer = Peer(credentials: PeerCredentials(processID: 1, userID: 7, groupID: 7), mayWrite: true)
    let reader = Peer(credentials: PeerCredentials(processID: 1, userID: 8, groupID: 8), mayWrite: false)
    #expect(running.cancel(6, id: RequestID(json: "1"), by: writer) == 0)
    #expect(running.cancel(5, id: RequestID(json: "1"), by: reader) == 0)
    #expect(running.cancel(5, id: RequestID(json: "1"), by: writer) == 1)
    #expect(stopped(entries[0]) == .cancelled && stopped(entries[1]) == nil)
    running.remove(5, entries[0].place)
    #expect(running.count == 1)
  }

  @Test func cutsOlderThanTheBoundExpire() throws {
    let running = RunningRequests()
    let inbox = try inbox()
    let entries = [
      entry(1, slot: 0, cutSecond: 10, inbox), entry(2, slot: 1, cutSecond: 50, inbox),
      entry(3, slot: 2, cutSecond: nil, inbox),
    ]
    for entry in entries { running.add(1, entry) }
    let now = MonotonicTime(nanoseconds: 60_000_000_000)
    #expect(running.expireCuts(now: now, greatestAge: .seconds(50), isTooHeavy: false) == 0)
    #expect(running.expireCuts(now: now, greatestAge: .seconds(49), isTooHeavy: false) == 1)
    #expect(stopped(entries[0]) == .cutExpired && stopped(entries[1]) == nil && stopped(entries[2]) == nil)
  }

  @Test func tooMuchRetainedMemoryEndsTheOldestCut() throws {
    let running = RunningRequests()
    let inbox = try inbox()
    let entries = [
      entry(1, slot: 0, cutSecond: 20, inbox), entry(2, slot: 1, cutSecond: 10, inbox),
      entry(3, slot: 2, cutSecond: 10, inbox),
    ]
    for entry in entries { running.add(UInt64(entry.place.slot), entry) }
    let now = MonotonicTime(nanoseconds: 21_000_000_000)
    #expect(running.expireCuts(now: now, greatestAge: .seconds(300), isTooHeavy: true) == 2)
    #expect(stopped(entries[0]) == nil && stopped(entries[1]) == .cutExpired)
  }
}

// Signals arrive through a descriptor, in a process of their own because they concern all of it.

import Glibc
import Platform
import Testing

@Suite struct SignalsTests {
  @Test func signalsAreReadFromTheEventLoop() async {
    await #expect(processExitsWith: .success) {
      let signals = try SignalDescriptor([.terminate, .interrupt])
      let loop = try EventLoop()
      try loop.add(signals.descriptor, token: 5, interest: .read)
      #expect(try signals.next() == nil)
      // To this thread: those of the test runner were started without the block.
      for expected in [Signal.terminate, .interrupt] {
        raise(expected.rawValue)
        #expect(try loop.wait(timeout: .seconds(60)).eventCount == 1)
        #expect(loop.event(at: 0).token == 5)
        #expect(try signals.next() == expected)
      }
      #expect(try signals.next() == nil)
    }
  }

  @Test func namesAreThoseOfTheManual() {
    #expect(Signal.allCases.map(\.name) == ["SIGINT", "SIGTERM", "SIGHUP"])
    #expect(Signal.allCases.map(\.rawValue) == [SIGINT, SIGTERM, SIGHUP])
  }
}

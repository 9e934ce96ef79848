// A test that must fail, so that failures are known to be seen.

import Platform
import TestSupport
import Testing

struct CanaryTests {
  /// `tools/test` runs it alone and fails when it does not.
  @Test(.enabled(if: CurrentProcess.environment("LEDGERLINE_CANARY") != nil))
  func theCanaryFails() {
    #expect(Bool(false), "the canary fails, as it must")
  }
}

// How much a test does: a sample in every run, everything with `tools/test --long`.

import Platform

package enum Effort {
  /// `tools/test --long`.
  package static let isLong = CurrentProcess.environment("LEDGERLINE_LONG") != nil

  package static let isTalkative = CurrentProcess.environment("LEDGERLINE_TALK") != nil

  /// One of two amounts of work; a sanitizer makes each step a long one and takes the smaller at most.
  package static func choose<Value>(_ short: Value, long: Value) -> Value { isLong ? long : short }
}

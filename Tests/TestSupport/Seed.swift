// Seeds of random tests: the same numbers on every run, and one of them alone when it is asked for.

import FoundationEssentials

/// The seed of one random test. Use `Seed.sample(n)` as a test's arguments: the runner then prints the seed
/// that failed, and `LEDGERLINE_SEED=<seed> swift test --filter <test>` repeats that one.
package struct Seed: Sendable, Hashable, CustomStringConvertible {
  package let value: UInt64

  package init(_ value: UInt64) {
    self.value = value
  }

  /// `count` seeds, always the same; only the one of the environment when `LEDGERLINE_SEED` is set, and at
  /// most `LEDGERLINE_SEED_LIMIT` of them (a sanitizer makes each a long one).
  package static func sample(_ count: Int) -> [Seed] {
    if let text = ProcessInfo.processInfo.environment["LEDGERLINE_SEED"] {
      guard let value = UInt64(text) else {
        preconditionFailure("LEDGERLINE_SEED is \"\(text)\": a whole number from 0 to 2^64 - 1 is needed")
      }
      return [Seed(value)]
    }
    let limit = ProcessInfo.processInfo.environment["LEDGERLINE_SEED_LIMIT"].flatMap { Int($0) } ?? count
    var generator = SeededGenerator(Seed(0))
    // Six digits are enough to differ and short enough to type.
    return (0..<min(count, limit)).map { _ in Seed(generator.next() % 1_000_000) }
  }

  /// A generator that starts from this seed.
  package var generator: SeededGenerator { SeededGenerator(self) }

  package var description: String { "LEDGERLINE_SEED=\(value)" }
}

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): one word
/// of state, every seed good.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(_ seed: Seed) {
    state = seed.value
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

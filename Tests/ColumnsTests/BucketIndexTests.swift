// A bucket index against a sorted array, with few and many equal amounts, of all widths.

import Amounts
import Columns
import TestSupport
import Testing

struct BucketIndexTests {
  /// An index with the amounts that it is made from, and which of its rows are still to be moved.
  private struct Kept {
    let index = BucketIndex()
    var amounts: [Amount]
    var unmoved: [UInt32] = []
    private var next = 0

    init(_ amounts: [Amount], isBuilt: Bool) {
      self.amounts = amounts
      if isBuilt {
        let fewRows = amounts.count.isMultiple(of: 2) ? 0 : 300
        index.build(rowCount: amounts.count, fewRows: fewRows) { BucketKey(amounts[Int($0)]) }
      } else {
        index.reserve(rowCount: amounts.count)
        unmoved = amounts.indices.map { UInt32($0) }
        move(.max)
      }
    }

    mutating func set(_ row: Int, _ amount: Amount) {
      amounts[row] = amount
      unmoved.append(UInt32(row))
    }

    mutating func move(_ limit: Int) {
      var left = min(limit, unmoved.count - next)
      while left > 0 {
        let step = min(left, BucketIndex.window)
        let rows = Array(unmoved[next..<next + step])
        next += step
        let keys = rows.map { BucketKey(amounts[Int($0)]) }
        unsafe rows.withUnsafeBufferPointer { rows in
          unsafe keys.withUnsafeBufferPointer { keys in
            unsafe index.move(rows, to: keys.baseAddress!) { BucketKey(amounts[Int($0)]) }
          }
        }
        left -= step
      }
    }

    func faults() -> [String] {
      index.checkInvariants(rowCount: amounts.count, limit: 5) { BucketKey(amounts[Int($0)]) }
    }

    /// Rows in order, by walking: parts follow one another, each sorted here.
    func walked(descending: Bool, skipping: Int = 0) -> [Int] {
      var rows: [Int] = []
      index.walk(descending: descending, skipping: skipping) { part in
        var sorted = unsafe part.rows.map { Int($0) }
        if part.isExact {
          #expect(Set(sorted.map { amounts[$0] }).count == 1)
        }
        sorted.sort { (amounts[$0], $0) < (amounts[$1], $1) }
        if descending { sorted.reverse() }
        rows += sorted.dropFirst(part.skipped)
        return true
      }
      return rows
    }

    var sorted: [Int] { amounts.indices.sorted { (amounts[$0], $0) < (amounts[$1], $1) } }
  }

  /// Kinds of books: what most amounts are.
  private enum Mix: CaseIterable {
    case wide, near, equal, zero, beyond

    func amount(_ generator: inout SeededGenerator) -> Amount {
      if Int.random(in: 0..<20, using: &generator) == 0 { return .random(digits: 60, using: &generator) }
      switch self {
      case .wide: return .random(digits: 38, using: &generator)
      case .near: return Amount(10_000_000 + Int.random(in: -200...200, using: &generator))
      case .equal:
        return Amount(Bool.random(using: &generator) ? 100_000 : -100_000)
          + (Int.random(in: 0..<8, using: &generator) == 0 ? .one : .zero)
      case .zero: return .zero
      case .beyond: return .power(of10: 200) + Amount(Int.random(in: 0..<4, using: &generator))
      }
    }
  }

  @Test(arguments: Seed.sample(4)) func itIsTheSortedArrayAfterEveryMove(_ seed: Seed) {
    var generator = seed.generator
    for mix in Mix.allCases {
      for isBuilt in [false, true] {
        let count = [0, 1, 256, 257, 2_000].randomElement(using: &generator)!
        var kept = Kept((0..<count).map { _ in mix.amount(&generator) }, isBuilt: isBuilt)
        for _ in 0..<4 where count > 0 {
          // Some rows wait while others are moved, and parts are divided and put together around them.
          let goal = Mix.allCases.randomElement(using: &generator)!
          for _ in 0..<Int.random(in: 0...count, using: &generator) {
            kept.set(Int.random(in: 0..<count, using: &generator), goal.amount(&generator))
            if Int.random(in: 0..<100, using: &generator) == 0 { kept.move(64) }
          }
          kept.move(.max)
          let sorted = kept.sorted
          #expect(kept.walked(descending: false) == sorted, "\(mix) to \(goal)")
          #expect(kept.walked(descending: true) == sorted.reversed(), "\(mix) to \(goal)")
          let skipping = Int.random(in: 0...count, using: &generator)
          #expect(
            kept.walked(descending: true, skipping: skipping) == Array(sorted.reversed().dropFirst(skipping)))
          #expect(kept.walked(descending: false, skipping: skipping) == Array(sorted.dropFirst(skipping)))
        }
        #expect(kept.faults() == [], "\(mix)")
      }
    }
  }

  @Test(arguments: Seed.sample(8)) func aPlaceHasAllSmallerRowsBeforeIt(_ seed: Seed) {
    var generator = seed.generator
    for mix in Mix.allCases {
      let kept = Kept((0..<2_000).map { _ in mix.amount(&generator) }, isBuilt: true)
      for _ in 0..<50 {
        let amount = mix.amount(&generator)
        let row = Int.random(in: 0..<2_000, using: &generator)
        let expected = kept.amounts.indices.count { (kept.amounts[$0], $0) < (amount, row) }
        let rank = kept.index.withPlace(of: BucketKey(amount), row: UInt32(row)) { before, part in
          unsafe before + part.rows.count { (kept.amounts[Int($0)], Int($0)) < (amount, row) }
        }
        #expect(rank == expected, "\(amount), \(row)")
      }
    }
  }

  /// A million equal balances, or none, cost neither memory nor order.
  @Test func equalAmountsLieInPartsByRow() {
    let count = 40_000
    var kept = Kept(Array(repeating: Amount(123_456_789), count: count), isBuilt: false)
    var parts = 0
    kept.index.walk(descending: false) { part in
      #expect(unsafe part.isExact && part.rows.count <= BucketIndex.partRows)
      parts += 1
      return true
    }
    #expect(parts >= count / BucketIndex.partRows)
    #expect(kept.walked(descending: true) == (0..<count).reversed())
    for row in 0..<count { kept.set(row, Amount(row % 3)) }
    kept.move(.max)
    #expect(kept.faults() == [])
    let bytes = kept.index.byteCount
    for turn in 0..<4 {
      for row in 0..<count { kept.set(row, Amount(turn * 1_000_000)) }
      kept.move(.max)
    }
    #expect(kept.faults() == [])
    #expect(kept.index.byteCount <= bytes + 4 << 20)
  }

  @Test func keysRiseWithTheAmounts() {
    let amounts = [
      -Amount.power(of10: 200), -.power(of10: 39), Amount(Int128.min), Amount(Int128.min) + .one,
      Amount(Int64.min) - .one, Amount(Int64.min), -Amount(4097), -Amount(4096), -Amount(4095), -.one, .zero,
      .one, Amount(4095), Amount(4096), Amount(Int64.max), Amount(UInt64.max), .power(of10: 30),
      Amount(Int128.max), Amount(Int128.max) + .one, .power(of10: 200),
    ]
    var kept = Kept(amounts.reversed(), isBuilt: false)
    #expect(kept.walked(descending: true) == Array(0..<amounts.count))
    kept.set(0, .zero)
    kept.move(.max)
    #expect(kept.faults() == [])
  }
}

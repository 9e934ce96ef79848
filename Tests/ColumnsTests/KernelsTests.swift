// The C loops against plain Swift ones.

import Columns
import TestSupport
import Testing

@Suite struct KernelsTests {
  /// Runs `kernel` over a bitmap of random bytes and compares every byte with what `expected` says of each
  /// row.
  private func check(
    rowCount: Int, seed: Seed, using generator: inout SeededGenerator, expected: (Int) -> Bool,
    kernel: (BitTarget) -> Void
  ) {
    for (stride, adding) in [(1, false), (1, true), (64, false), (64, true)] {
      let byteCount = (rowCount + 7) / 8
      let before = (0..<max(byteCount * stride, 1)).map { _ in
        UInt8.random(in: .min ... .max, using: &generator)
      }
      var bits = before
      unsafe bits.withUnsafeMutableBufferPointer { buffer in
        unsafe kernel(BitTarget(buffer.baseAddress.unsafelyUnwrapped, stride: stride, adding: adding))
      }
      var twin = before
      for byte in 0..<byteCount {
        var value: UInt8 = 0
        for bit in 0..<8 where byte * 8 + bit < rowCount && expected(byte * 8 + bit) { value |= 1 << bit }
        twin[byte * stride] = (adding ? before[byte * stride] : 0) | value
      }
      #expect(bits == twin, "\(rowCount) rows, stride \(stride), \(seed)")
    }
  }

  @Test(arguments: Seed.sample(40))
  func selectedRangesAgreeWithPlainComparisons(seed: Seed) {
    var generator = seed.generator
    let rowCount = Int.random(in: 0...300, using: &generator)
    let edges: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
    func number() -> Int64 {
      Bool.random(using: &generator)
        ? edges.randomElement(using: &generator)! : Int64.random(in: -20...20, using: &generator)
    }
    let values = (0..<rowCount).map { _ in number() }
    let (first, second) = (number(), number())
    let bounds = min(first, second)...max(first, second)
    check(
      rowCount: rowCount, seed: seed, using: &generator, expected: { bounds.contains(values[$0]) },
      kernel: { target in
        unsafe values.withUnsafeBufferPointer {
          unsafe Kernels.select($0.baseAddress!, rowCount: rowCount, in: bounds, into: target)
        }
      })
    let small = values.map { UInt32(truncatingIfNeeded: $0) }
    let (low, high) = (UInt32(truncatingIfNeeded: first), UInt32(truncatingIfNeeded: second))
    let limits = min(low, high)...max(low, high)
    check(
      rowCount: rowCount, seed: seed, using: &generator, expected: { limits.contains(small[$0]) },
      kernel: { target in
        unsafe small.withUnsafeBufferPointer {
          unsafe Kernels.select($0.baseAddress!, rowCount: rowCount, in: limits, into: target)
        }
      })
  }

  @Test(arguments: Seed.sample(40))
  func selectedCodesAgreeWithASet(seed: Seed) {
    var generator = seed.generator
    let rowCount = Int.random(in: 1...300, using: &generator)
    let wordCount = Int.random(in: 0...5, using: &generator)
    let set = (0..<wordCount).map { _ in generator.next() }
    let values = (0..<rowCount).map { _ in
      [UInt32.random(in: 0...330, using: &generator), .max, 0].randomElement(using: &generator)!
    }
    check(
      rowCount: rowCount, seed: seed, using: &generator,
      expected: { row in
        let code = Int(values[row])
        return code < wordCount * 64 && set[code / 64] >> UInt64(code % 64) & 1 == 1
      },
      kernel: { target in
        unsafe values.withUnsafeBufferPointer {
          unsafe Kernels.select($0.baseAddress!, rowCount: rowCount, among: set, into: target)
        }
      })
    let bytes = values.map { UInt8(truncatingIfNeeded: $0) }
    let four = (0..<4).map { _ in generator.next() }
    check(
      rowCount: rowCount, seed: seed, using: &generator,
      expected: { four[Int(bytes[$0]) / 64] >> UInt64(bytes[$0] % 64) & 1 == 1 },
      kernel: { target in
        unsafe bytes.withUnsafeBufferPointer {
          unsafe Kernels.select($0.baseAddress!, rowCount: rowCount, among: four, into: target)
        }
      })
  }

  @Test(arguments: Seed.sample(10))
  func populationCountAgreesWithCountingBits(seed: Seed) {
    var generator = seed.generator
    let words = (0..<Int.random(in: 0...70, using: &generator)).map { _ in generator.next() }
    let expected = words.reduce(0) { $0 + $1.nonzeroBitCount }
    let count = unsafe words.withUnsafeBufferPointer { buffer in
      unsafe buffer.isEmpty
        ? 0 : Kernels.populationCount(buffer.baseAddress.unsafelyUnwrapped, wordCount: buffer.count)
    }
    #expect(count == expected, "\(seed)")
  }
}

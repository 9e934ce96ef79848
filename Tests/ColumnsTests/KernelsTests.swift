// The C loops against plain Swift ones, for each instruction set that the machine has.

import Columns
import TestSupport
import Testing

@Suite(.serialized) struct KernelsTests {
  /// Lengths around multiples of what a loop takes at a time, up to a chunk and a bit more.
  private static let lengths =
    Array(0...130) + [191, 192, 193, 255, 256, 257, 319, 320, 321, 448, 511, 512, 513, 575, 576, 577, 1000]

  /// Runs `body` with each instruction set and back to the best.
  private func forEachSet(_ body: (Kernels.InstructionSet) -> Void) {
    for set in Kernels.InstructionSet.allCases where Kernels.use(set) == set { body(set) }
    Kernels.use(nil)
  }

  private static func bytes(_ count: Int, _ generator: inout SeededGenerator) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
  }

  /// What a loop must leave in `before`.
  private static func twin(
    _ before: [UInt8], rowCount: Int, _ change: BitChange, _ passes: (Int) -> Bool
  ) -> [UInt8] {
    var bits = before
    for byte in 0..<(rowCount + 7) / 8 {
      var found: UInt8 = 0
      var exists: UInt8 = 0
      for bit in 0..<8 where byte * 8 + bit < rowCount {
        exists |= 1 << bit
        if passes(byte * 8 + bit) { found |= 1 << bit }
      }
      switch change {
      case .put: bits[byte] = found
      case .add: bits[byte] = before[byte] & exists | found
      case .keep: bits[byte] = before[byte] & found
      case .drop: bits[byte] = before[byte] & exists & ~found
      }
    }
    return bits
  }

  /// Compares a pair of loops with what `passes` says of each row.
  private func check<Value>(
    _ values: [Value], _ text: String, _ seed: Seed, _ generator: inout SeededGenerator,
    passes: (Int) -> Bool, select: (UnsafePointer<Value>, BitTarget) -> Void,
    count: (UnsafePointer<Value>) -> Int
  ) {
    let rowCount = values.count
    // A byte before and two after that no loop may touch; lanes at an odd address, as a column's may be.
    let before = Self.bytes((rowCount + 7) / 8 + 3, &generator)
    let lanes = UnsafeMutablePointer<Value>.allocate(capacity: rowCount + 1)
    unsafe (lanes + 1).initialize(from: values, count: rowCount)
    defer { unsafe lanes.deallocate() }
    let expectedCount = (0..<rowCount).count(where: passes)
    forEachSet { set in
      for change in [BitChange.put, .add, .keep, .drop] {
        var bits = before
        unsafe bits.withUnsafeMutableBufferPointer { buffer in
          unsafe select(lanes + 1, BitTarget(buffer.baseAddress.unsafelyUnwrapped + 1, change))
        }
        let twin =
          before[..<1]
          + Self.twin(Array(before[1...]), rowCount: rowCount, change, passes)
        #expect(bits == Array(twin), "\(text), \(rowCount) rows, \(change), \(set), \(seed)")
      }
      #expect(unsafe count(lanes + 1) == expectedCount, "\(text), \(rowCount) rows, \(set), \(seed)")
    }
  }

  /// Numbers near a few points and at the ends of the type, so that bounds are hit often.
  private static func number<Number: FixedWidthInteger>(
    _: Number.Type, _ generator: inout SeededGenerator
  ) -> Number {
    switch Int.random(in: 0...9, using: &generator) {
    case 0: .min
    case 1: .max
    case 2: .min + 1
    case 3: .max - 1
    case 4: Number.random(in: .min ... .max, using: &generator)
    default: Number(truncatingIfNeeded: Int.random(in: -4...12, using: &generator))
    }
  }

  @Test(arguments: Seed.sample(4))
  func rangesAgreeWithPlainComparisons(seed: Seed) {
    var generator = seed.generator
    func range<Number: FixedWidthInteger>(_ type: Number.Type) -> ClosedRange<Number> {
      let (first, second) = (Self.number(type, &generator), Self.number(type, &generator))
      return Int.random(in: 0...3, using: &generator) == 0
        ? first...first : min(first, second)...max(first, second)
    }
    for length in Self.lengths {
      let bytes = (0..<length).map { _ in Self.number(UInt8.self, &generator) }
      let byteRange = range(UInt8.self)
      unsafe check(
        bytes, "bytes in \(byteRange)", seed, &generator, passes: { byteRange.contains(bytes[$0]) },
        select: { unsafe Kernels.select($0, rowCount: length, in: byteRange, into: $1) },
        count: { unsafe Kernels.count($0, rowCount: length, in: byteRange) })
      let shorts = (0..<length).map { _ in Self.number(UInt16.self, &generator) }
      let shortRange = range(UInt16.self)
      unsafe check(
        shorts, "shorts in \(shortRange)", seed, &generator, passes: { shortRange.contains(shorts[$0]) },
        select: { unsafe Kernels.select($0, rowCount: length, in: shortRange, into: $1) },
        count: { unsafe Kernels.count($0, rowCount: length, in: shortRange) })
      let words = (0..<length).map { _ in Self.number(UInt32.self, &generator) }
      let wordRange = range(UInt32.self)
      unsafe check(
        words, "words in \(wordRange)", seed, &generator, passes: { wordRange.contains(words[$0]) },
        select: { unsafe Kernels.select($0, rowCount: length, in: wordRange, into: $1) },
        count: { unsafe Kernels.count($0, rowCount: length, in: wordRange) })
      let amounts = (0..<length).map { _ in Self.number(Int64.self, &generator) }
      let amountRange = range(Int64.self)
      unsafe check(
        amounts, "amounts in \(amountRange)", seed, &generator,
        passes: { amountRange.contains(amounts[$0]) },
        select: { unsafe Kernels.select($0, rowCount: length, in: amountRange, into: $1) },
        count: { unsafe Kernels.count($0, rowCount: length, in: amountRange) })
    }
  }

  /// Codes of which many are members of the set that comes with them.
  private static func codes(
    largest: UInt32, _ generator: inout SeededGenerator
  ) -> (members: Set<UInt32>, spread: [UInt32]) {
    let count = [0, 1, 2, 3, 4, 5, 6, 20, 100].randomElement(using: &generator) ?? 0
    let tops: [UInt32] = [largest, min(largest, 255), min(largest, 70_000)]
    let top = tops.randomElement(using: &generator) ?? 0
    var members: Set<UInt32> = []
    for _ in 0..<count { members.insert(UInt32.random(in: 0...top, using: &generator)) }
    let near = members.flatMap { [$0, $0 &+ 1, $0 &- 1] }
    return (members, near + [0, largest])
  }

  @Test(arguments: Seed.sample(6))
  func setsAgreeWithSwiftSets(seed: Seed) {
    var generator = seed.generator
    for length in Self.lengths {
      let (members, spread) = Self.codes(largest: 200_000, &generator)
      let isDense = Bool.random(using: &generator)
      let values = (0..<length).map { _ in
        isDense || Int.random(in: 0...15, using: &generator) == 0
          ? spread.randomElement(using: &generator) ?? 0
          : UInt32.random(in: 0...200_000, using: &generator)
      }
      let set = CodeMembers(members)
      let text = "\(members.count) members"
      unsafe check(
        values, "words among \(text)", seed, &generator, passes: { members.contains(values[$0]) },
        select: { unsafe Kernels.select($0, rowCount: length, among: set, into: $1) },
        count: { unsafe Kernels.count($0, rowCount: length, among: set) })
      let shorts = values.map { UInt16(truncatingIfNeeded: $0) }
      unsafe check(
        shorts, "shorts among \(text)", seed, &generator, passes: { members.contains(UInt32(shorts[$0])) },
        select: { unsafe Kernels.select($0, rowCount: length, among: set, into: $1) },
        count: { unsafe Kernels.count($0, rowCount: length, among: set) })
      let bytes = values.map { UInt8(truncatingIfNeeded: $0) }
      unsafe check(
        bytes, "bytes among \(text)", seed, &generator, passes: { members.contains(UInt32(bytes[$0])) },
        select: { unsafe Kernels.select($0, rowCount: length, among: set, into: $1) },
        count: { unsafe Kernels.count($0, rowCount: length, among: set) })
    }
  }

  @Test(arguments: Seed.sample(6))
  func sketchesAgreeWithPlainComparisons(seed: Seed) {
    var generator = seed.generator
    for length in Self.lengths {
      let values = (0..<length).map { _ in Self.number(UInt16.self, &generator) }
      var points = (0..<4).map { _ in Self.number(UInt16.self, &generator) }
      points.sort()
      let bounds = points[0]...points[3]
      let sure = Bool.random(using: &generator) ? points[1]...points[2] : nil
      let isSure = { (row: Int) in sure?.contains(values[row]) ?? false }
      let isEdge = { (row: Int) in bounds.contains(values[row]) && !isSure(row) }
      let before = Self.bytes((length + 7) / 8 + 2, &generator)
      forEachSet { set in
        for wantsBits in [true, false] {
          var (bits, edges) = (before, before)
          let found = unsafe values.withUnsafeBufferPointer { values in
            unsafe bits.withUnsafeMutableBufferPointer { bits in
              unsafe edges.withUnsafeMutableBufferPointer { edges in
                unsafe Kernels.selectSketches(
                  values.baseAddress ?? UnsafePointer(bitPattern: 64).unsafelyUnwrapped, rowCount: length,
                  in: bounds, sure: sure, into: wantsBits ? bits.baseAddress : nil,
                  edges: edges.baseAddress.unsafelyUnwrapped)
              }
            }
          }
          let text: Comment = "\(length) rows, \(bounds), \(sure as Any), \(set), \(seed)"
          #expect(found.sure == (0..<length).count(where: isSure), text)
          #expect(found.edges == (0..<length).count(where: isEdge), text)
          let twin = Self.twin(before, rowCount: length, .put, isSure)
          #expect(bits == (wantsBits ? twin : before), text)
          #expect(edges == Self.twin(before, rowCount: length, .put, isEdge), text)
        }
      }
    }
  }

  @Test(arguments: Seed.sample(6))
  func sumsAndBoundsAgreeWithWideArithmetic(seed: Seed) {
    var generator = seed.generator
    for length in Self.lengths where length > 0 {
      let values = (0..<length).map { _ in Self.number(Int64.self, &generator) }
      let density = Int.random(in: 0...3, using: &generator)
      let selected = Self.bytes((length + 7) / 8, &generator).map { byte in
        density == 0 ? 0 : density == 1 ? 255 : density == 2 ? byte : byte & (byte << 3) & (byte << 1)
      }
      for isMasked in [true, false] {
        let rows = values.indices.filter { !isMasked || selected[$0 / 8] >> UInt8($0 % 8) & 1 == 1 }
        let narrow = rows.map { values[$0] }.filter { $0 != .min }
        let sum = LaneSum(
          sum: narrow.reduce(0) { $0 + Int128($1) }, count: narrow.count,
          wideCount: rows.count - narrow.count)
        let bounds = LaneBounds(
          least: narrow.min() ?? .max, greatest: narrow.max() ?? .min, count: narrow.count,
          wideCount: rows.count - narrow.count)
        forEachSet { set in
          unsafe values.withUnsafeBufferPointer { lanes in
            unsafe selected.withUnsafeBufferPointer { bits in
              let lanes = unsafe lanes.baseAddress.unsafelyUnwrapped
              let mask = isMasked ? bits.baseAddress : nil
              let text: Comment = "\(length) rows, \(isMasked ? "some" : "all"), \(set), \(seed)"
              #expect(unsafe Kernels.sum(lanes, rowCount: length, selected: mask) == sum, text)
              #expect(unsafe Kernels.bounds(lanes, rowCount: length, selected: mask) == bounds, text)
            }
          }
        }
      }
    }
  }

  @Test func sumsOfManyExtremesStayExact() {
    let count = 100_000
    for value: Int64 in [.max, .min + 1, -1] {
      let values = [Int64](repeating: value, count: count)
      forEachSet { set in
        let sum = unsafe values.withUnsafeBufferPointer {
          unsafe Kernels.sum($0.baseAddress.unsafelyUnwrapped, rowCount: count, selected: nil)
        }
        #expect(sum.sum == Int128(value) * Int128(count), "\(set)")
      }
    }
  }

  // MARK: Groups

  /// What a twin adds up for one group.
  private struct TwinGroup: Equatable {
    var sum: Int128 = 0
    var count = 0
    var least = Int64.max
    var greatest = Int64.min
  }

  /// Adds the chunks of a stripe to groups: numbers in row order, values and bits in slot order.
  private func parts(
    _ values: [Int64], _ numbers: [UInt16], _ selected: [UInt8], groupCount: Int, inBytes: Bool
  ) -> (groups: [TwinGroup], wideCount: Int) {
    var parts = GroupParts(groupCount: groupCount)
    var wideCount = 0
    let bytes = numbers.map { UInt8(truncatingIfNeeded: $0) }
    unsafe values.withUnsafeBufferPointer { values in
      unsafe selected.withUnsafeBufferPointer { selected in
        unsafe numbers.withUnsafeBufferPointer { shorts in
          unsafe bytes.withUnsafeBufferPointer { bytes in
            let numbers: GroupNumbers =
              unsafe inBytes
              ? .bytes(bytes.baseAddress.unsafelyUnwrapped) : .shorts(shorts.baseAddress.unsafelyUnwrapped)
            var wide = [UInt64](repeating: .max, count: Layout.chunkRows / 64)
            var wideBounds = wide
            for chunk in 0..<Layout.shardCount {
              let lane = unsafe values.baseAddress.unsafelyUnwrapped + chunk * Layout.chunkRows
              let bits = unsafe selected.baseAddress.unsafelyUnwrapped + chunk * Layout.chunkRows / 8
              let next = unsafe chunk + 1 < Layout.shardCount ? lane + Layout.chunkRows : nil
              let found = unsafe wide.withUnsafeMutableBufferPointer { wide in
                unsafe parts.addSums(
                  lane, chunk: chunk, numbers, selected: bits, next: next,
                  wide: wide.baseAddress.unsafelyUnwrapped)
              }
              let foundAgain = unsafe wideBounds.withUnsafeMutableBufferPointer { wide in
                unsafe parts.addBounds(
                  lane, chunk: chunk, numbers, selected: bits, next: next,
                  wide: wide.baseAddress.unsafelyUnwrapped)
              }
              #expect(found == foundAgain && wide == wideBounds)
              for slot in 0..<Layout.chunkRows {
                let isWide =
                  unsafe lane[slot] == AmountBlock.wideMark && bits[slot / 8] >> UInt8(slot % 8) & 1 == 1
                if wide[slot / 64] >> UInt64(slot % 64) & 1 != (isWide ? 1 : 0) {
                  Issue.record("slot \(slot) of chunk \(chunk)")
                }
              }
              wideCount += found
            }
          }
        }
      }
    }
    var groups = [TwinGroup](repeating: TwinGroup(), count: groupCount)
    parts.takeSums { group, found in
      groups[group].sum = found.sum
      groups[group].count = found.count
    }
    parts.takeBounds { group, least, greatest in
      groups[group].least = least
      groups[group].greatest = greatest
    }
    parts.takeSums { group, _ in Issue.record("group \(group) was taken before") }
    parts.takeBounds { group, _, _ in Issue.record("group \(group) was taken before") }
    return (groups, wideCount)
  }

  @Test(arguments: Seed.sample(8))
  func groupsAgreeWithOneRowAfterTheOther(seed: Seed) {
    var generator = seed.generator
    let groupCount = [1, 2, 12, 200, 1024].randomElement(using: &generator) ?? 1
    let inBytes = groupCount <= 256 && Bool.random(using: &generator)
    // Values in slot order; many of them are extremes and marks, unless numbers of one kind follow.
    let values = (0..<Layout.stripeRows).map { _ in
      seed.value % 2 == 0
        ? Self.number(Int64.self, &generator) : Int64(Int32.random(in: -9...9, using: &generator))
    }
    let numbers = (0..<Layout.stripeRows).map { _ in
      UInt16(Int.random(in: 0..<groupCount, using: &generator))
    }
    let density = Int.random(in: 0...2, using: &generator)
    let selected = Self.bytes(Layout.stripeRows / 8, &generator).map { byte in
      density == 0 ? byte & (byte << 3) & (byte << 1) : density == 1 ? byte : 255
    }
    var expected = [TwinGroup](repeating: TwinGroup(), count: groupCount)
    var wideCount = 0
    for chunk in 0..<Layout.shardCount {
      for slot in 0..<Layout.chunkRows {
        let place = chunk * Layout.chunkRows + slot
        if selected[place / 8] >> UInt8(place % 8) & 1 == 0 { continue }
        if values[place] == AmountBlock.wideMark {
          wideCount += 1
          continue
        }
        let group = Int(numbers[Layout.row(chunk: chunk, slot: slot).index])
        expected[group].sum += Int128(values[place])
        expected[group].count += 1
        expected[group].least = min(expected[group].least, values[place])
        expected[group].greatest = max(expected[group].greatest, values[place])
      }
    }
    forEachSet { set in
      let found = parts(values, numbers, selected, groupCount: groupCount, inBytes: inBytes)
      let text: Comment = "\(groupCount) groups, \(inBytes ? "bytes" : "shorts"), \(set), \(seed)"
      #expect(found.groups == expected, text)
      #expect(found.wideCount == wideCount, text)
    }
  }

  @Test func aGroupHoldsAStripeOfExtremes() {
    let rowCount = Layout.stripeRows
    for value: Int64 in [.max, .min + 1, -1, 0] {
      let expected = TwinGroup(
        sum: Int128(value) * Int128(rowCount), count: rowCount, least: value, greatest: value)
      forEachSet { set in
        let found = parts(
          Array(repeating: value, count: rowCount), Array(repeating: 0, count: rowCount),
          Array(repeating: 255, count: rowCount / 8), groupCount: 1, inBytes: true)
        #expect(found.groups == [expected] && found.wideCount == 0, "\(value), \(set)")
      }
    }
  }

  @Test(arguments: Seed.sample(10))
  func bitmapsAgreeWithSingleBits(seed: Seed) {
    var generator = seed.generator
    for wordCount in [0, 1, 2, 7, 8, 9, 63, 64, 65, 512] {
      let words = (0..<wordCount).map { _ in generator.next() & generator.next() }
      let other = (0..<wordCount).map { _ in generator.next() }
      forEachSet { set in
        let text: Comment = "\(wordCount) words, \(set), \(seed)"
        unsafe words.withUnsafeBufferPointer { buffer in
          guard let base = buffer.baseAddress else { return }
          let count = words.reduce(0) { $0 + $1.nonzeroBitCount }
          #expect(unsafe Kernels.populationCount(base, wordCount: wordCount) == count, text)
          #expect(unsafe Kernels.total(base, count: wordCount) == words.reduce(0, &+), text)
        }
        for change in [BitChange.put, .add, .keep, .drop] {
          var merged = words
          let twin = zip(words, other).map { mine, theirs in
            switch change {
            case .put: theirs
            case .add: mine | theirs
            case .keep: mine & theirs
            case .drop: mine & ~theirs
            }
          }
          let any = unsafe merged.withUnsafeMutableBufferPointer { merged in
            unsafe other.withUnsafeBufferPointer { other -> Bool in
              guard let base = merged.baseAddress, let theirs = other.baseAddress else { return false }
              return unsafe Kernels.merge(base, with: theirs, wordCount: wordCount, change)
            }
          }
          #expect(merged == twin, text)
          #expect(any == twin.contains { $0 != 0 }, text)
        }
      }
    }
  }

  @Test(arguments: Seed.sample(4))
  func aTurnedSquareHasRowsForColumns(seed: Seed) {
    var generator = seed.generator
    let words = (0..<512).map { _ in generator.next() }
    let square = unsafe words.withUnsafeBytes { unsafe Array($0) }
    let expected = (0..<4096).map { square[$0 % 64 * 64 + $0 / 64] }
    forEachSet { set in
      var turned = [UInt64](repeating: 0, count: 512)
      unsafe words.withUnsafeBufferPointer { words in
        unsafe turned.withUnsafeMutableBufferPointer { turned in
          unsafe Kernels.transpose(
            words.baseAddress.unsafelyUnwrapped, into: turned.baseAddress.unsafelyUnwrapped)
        }
      }
      #expect(unsafe turned.withUnsafeBytes { unsafe Array($0) } == expected, "\(set), \(seed)")
    }
  }

  @Test(arguments: Seed.sample(20))
  func aNeedleIsFoundWhereItFirstStands(seed: Seed) {
    var generator = seed.generator
    for _ in 0..<60 {
      let letters = UInt8.random(in: 1...4, using: &generator)
      let text = (0..<Int.random(in: 0...300, using: &generator)).map { _ in
        UInt8.random(in: 97...(97 + letters), using: &generator)
      }
      let length = [0, 1, 2, 3, 5, 9, 40, 64, 65].randomElement(using: &generator) ?? 0
      var needle = (0..<length).map { _ in UInt8.random(in: 97...(97 + letters), using: &generator) }
      if Bool.random(using: &generator), text.count >= length {
        let start = Int.random(in: 0...text.count - length, using: &generator)
        needle = Array(text[start..<start + length])
      }
      let expected = (0...max(text.count - length, 0)).first { start in
        start + length <= text.count && text[start..<start + length].elementsEqual(needle)
      }
      forEachSet { set in
        let found = unsafe text.withUnsafeBytes { text in
          unsafe needle.withUnsafeBytes { unsafe Kernels.firstPlace(of: $0, in: text) }
        }
        #expect(found == expected, "\(needle) in \(text), \(set), \(seed)")
      }
    }
  }
}

// Sums, smallest and greatest values of groups: 64-bit values in plain arrays, wider ones aside.

import Amounts

/// What is kept of one field for each group.
struct GroupSums {
  /// What the metrics of the field need.
  struct Needs: OptionSet {
    let rawValue: Int
    static let sum = Needs(rawValue: 1)
    static let least = Needs(rawValue: 2)
    static let greatest = Needs(rawValue: 4)
  }

  /// What the values beyond 64 bits of a group add up to.
  private struct Wide {
    var count = 0
    var sum = Amount.zero
    var least: Amount?
    var greatest: Amount?

    mutating func add(_ amount: Amount) {
      count += 1
      sum += amount
      least = least.map { min($0, amount) } ?? amount
      greatest = greatest.map { max($0, amount) } ?? amount
    }

    mutating func merge(_ other: Wide) {
      count += other.count
      sum += other.sum
      if let amount = other.least { least = least.map { min($0, amount) } ?? amount }
      if let amount = other.greatest { greatest = greatest.map { max($0, amount) } ?? amount }
    }
  }

  let needs: Needs
  /// 2^32 values of 64 bits do not leave 128.
  private var sums: [Int128] = []
  private var least: [Int64] = []
  private var greatest: [Int64] = []
  private var wide: [Int: Wide] = [:]

  init(_ needs: Needs) { self.needs = needs }

  /// Makes room for groups that are new.
  mutating func grow(to count: Int) {
    if needs.contains(.sum), sums.count < count {
      sums.append(contentsOf: repeatElement(0, count: count - sums.count))
    }
    if needs.contains(.least), least.count < count {
      least.append(contentsOf: repeatElement(.max, count: count - least.count))
    }
    if needs.contains(.greatest), greatest.count < count {
      greatest.append(contentsOf: repeatElement(.min, count: count - greatest.count))
    }
  }

  /// Adds the first values to the groups that `numbers` names, one for each.
  mutating func add(_ values: [Int64], _ count: Int, to numbers: [UInt32]) {
    if needs.contains(.sum) {
      for place in 0..<count { sums[Int(numbers[place])] &+= Int128(values[place]) }
    }
    if needs.contains(.least) {
      for place in 0..<count {
        let number = Int(numbers[place])
        least[number] = min(least[number], values[place])
      }
    }
    if needs.contains(.greatest) {
      for place in 0..<count {
        let number = Int(numbers[place])
        greatest[number] = max(greatest[number], values[place])
      }
    }
  }

  /// Adds the first values to one group.
  mutating func add(_ values: [Int64], _ count: Int, to number: Int) {
    if needs.contains(.sum) {
      // Halves of 32 bits in sums of 64: a block is far from 2^31 values, and the loop becomes vectors.
      var low: Int64 = 0
      var high: Int64 = 0
      for place in 0..<count {
        low &+= values[place] & 0xFFFF_FFFF
        high &+= values[place] >> 32
      }
      sums[number] &+= Int128(high) << 32 &+ Int128(low)
    }
    if needs.contains(.least) {
      var found = least[number]
      for place in 0..<count { found = min(found, values[place]) }
      least[number] = found
    }
    if needs.contains(.greatest) {
      var found = greatest[number]
      for place in 0..<count { found = max(found, values[place]) }
      greatest[number] = found
    }
  }

  /// Adds a sum of 64-bit values.
  mutating func add(_ sum: Int128, to number: Int) { sums[number] &+= sum }

  /// Takes the bounds of 64-bit values; those of none are the greatest and the least number.
  mutating func addBounds(_ low: Int64, _ high: Int64, to number: Int) {
    if needs.contains(.least) { least[number] = min(least[number], low) }
    if needs.contains(.greatest) { greatest[number] = max(greatest[number], high) }
  }

  /// Adds an amount of any size.
  mutating func add(_ amount: Amount, to number: Int) { wide[number, default: Wide()].add(amount) }

  /// Adds what other totals have of the groups with the same numbers.
  mutating func merge(_ other: GroupSums) {
    grow(to: max(other.sums.count, other.least.count, other.greatest.count))
    for number in other.sums.indices { sums[number] &+= other.sums[number] }
    for number in other.least.indices { least[number] = min(least[number], other.least[number]) }
    for number in other.greatest.indices { greatest[number] = max(greatest[number], other.greatest[number]) }
    for (number, more) in other.wide { wide[number, default: Wide()].merge(more) }
  }

  func sum(_ number: Int) -> Amount {
    let narrow = Amount(sums[number])
    guard !wide.isEmpty, let wide = wide[number] else { return narrow }
    return narrow + wide.sum
  }

  /// The smallest of a group's `rowCount` values, nil of none.
  func least(_ number: Int, rowCount: Int) -> Amount? {
    if rowCount == 0 { return nil }
    let narrow = Amount(least[number])
    guard !wide.isEmpty, let wide = wide[number], let amount = wide.least else { return narrow }
    return wide.count == rowCount ? amount : min(narrow, amount)
  }

  /// The greatest of a group's `rowCount` values, nil of none.
  func greatest(_ number: Int, rowCount: Int) -> Amount? {
    if rowCount == 0 { return nil }
    let narrow = Amount(greatest[number])
    guard !wide.isEmpty, let wide = wide[number], let amount = wide.greatest else { return narrow }
    return wide.count == rowCount ? amount : max(narrow, amount)
  }
}

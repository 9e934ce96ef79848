// Numbers for groups: combined codes count themselves when they are few, a hash table counts them otherwise.

/// Gives each distinct tuple of codes a number from 0 on, so that totals lie in arrays.
///
/// Codes are combined into one word as digits of a number whose digits have different bases. When the word
/// stays small it is the number itself (`dense`), and nothing is looked up. Else words are found in a hash
/// table; when a word would not hold all codes, the numbers found for the first ones are a digit beside the
/// rest.
struct GroupNumbering {
  /// Up to so many combined codes are numbers themselves: arrays of that size stay in the second cache.
  static let denseLimit = 1 << 14

  /// Columns that are combined into one word.
  private struct Stage {
    var columns: Range<Int>
    var table: GroupTable
  }

  /// How many codes each column has.
  let bases: [Int]
  /// Numbers of combined codes when they are dense, nil when groups are found by hashing.
  let denseCount: Int?
  private var stages: [Stage] = []

  init(bases: [Int]) {
    self.bases = bases
    var product: Int? = 1
    for base in bases {
      let (next, overflow) = (product ?? .max).multipliedReportingOverflow(by: max(base, 1))
      product = overflow || product == nil ? nil : next
    }
    if let product, product <= Self.denseLimit {
      denseCount = product
      return
    }
    denseCount = nil
    var start = 0
    while start < bases.count {
      var room = start == 0 ? UInt64.max - 1 : (UInt64.max - 1) / UInt64(AggregateRequest.groupLimit + 1)
      var end = start
      while end < bases.count, room >= UInt64(max(bases[end], 1)) {
        room /= UInt64(max(bases[end], 1))
        end += 1
      }
      stages.append(Stage(columns: start..<end, table: GroupTable()))
      start = end
    }
  }

  /// Groups so far.
  var count: Int { denseCount ?? stages.last?.table.count ?? 1 }

  /// The row by which a group was found first, when groups are found by hashing.
  func firstRow(_ number: Int) -> UInt32 { stages[stages.count - 1].table.firstRow(number) }

  /// The codes of a dense number.
  func codes(ofDense number: Int) -> [UInt32] {
    var codes = [UInt32](repeating: 0, count: bases.count)
    var rest = number
    for column in bases.indices.reversed() {
      let base = max(bases[column], 1)
      codes[column] = UInt32(rest % base)
      rest /= base
    }
    return codes
  }

  /// Numbers the rows of a block.
  /// - Parameters:
  ///   - codes: gives the codes of a column, each below its base.
  ///   - rows: row numbers, for `firstRow`.
  /// - Throws: `tooManyGroups`.
  mutating func number(
    _ count: Int, into numbers: inout [UInt32], words: inout [UInt64], rows: (Int) -> UInt32,
    codes: (Int, inout [UInt32]) -> Void, scratch: inout [UInt32]
  ) throws(QueryStopped) {
    if denseCount != nil {
      codes(0, &numbers)
      for column in 1..<max(bases.count, 1) {
        codes(column, &scratch)
        let base = UInt32(max(bases[column], 1))
        for place in 0..<count { numbers[place] = numbers[place] &* base &+ scratch[place] }
      }
      return
    }
    for stage in stages.indices {
      if stage == 0 {
        for place in 0..<count { words[place] = 0 }
      } else {
        for place in 0..<count { words[place] = UInt64(numbers[place]) }
      }
      for column in stages[stage].columns {
        codes(column, &scratch)
        let base = UInt64(max(bases[column], 1))
        for place in 0..<count { words[place] = words[place] &* base &+ UInt64(scratch[place]) }
      }
      for place in 0..<count {
        numbers[place] = try stages[stage].table.number(of: words[place], row: rows(place))
      }
    }
  }
}

/// Numbers for words, by open addressing.
struct GroupTable {
  /// A word no combination of codes has.
  private static let free = UInt64.max

  private var words: [UInt64]
  private var numbers: [UInt32]
  private var rows: [UInt32] = []
  private var mask: Int

  init() {
    words = Array(repeating: Self.free, count: 1024)
    numbers = Array(repeating: 0, count: 1024)
    mask = 1023
  }

  var count: Int { rows.count }

  func firstRow(_ number: Int) -> UInt32 { rows[number] }

  /// The number of a word, a new one if it has none. O(1) expected.
  @inline(__always)
  mutating func number(of word: UInt64, row: UInt32) throws(QueryStopped) -> UInt32 {
    var slot = Self.hash(word) & mask
    while words[slot] != Self.free {
      if words[slot] == word { return numbers[slot] }
      slot = (slot + 1) & mask
    }
    return try insert(word, row, slot)
  }

  private static func hash(_ word: UInt64) -> Int {
    let mixed = (word ^ word >> 32) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: mixed ^ mixed >> 29)
  }

  private mutating func insert(_ word: UInt64, _ row: UInt32, _ slot: Int) throws(QueryStopped) -> UInt32 {
    if rows.count == AggregateRequest.groupLimit { throw .tooManyGroups }
    let number = UInt32(rows.count)
    rows.append(row)
    words[slot] = word
    numbers[slot] = number
    if rows.count * 2 > words.count { grow() }
    return number
  }

  private mutating func grow() {
    let (oldWords, oldNumbers) = (words, numbers)
    mask = oldWords.count * 2 - 1
    words = Array(repeating: Self.free, count: mask + 1)
    numbers = Array(repeating: 0, count: mask + 1)
    for place in oldWords.indices where oldWords[place] != Self.free {
      var slot = Self.hash(oldWords[place]) & mask
      while words[slot] != Self.free { slot = (slot + 1) & mask }
      words[slot] = oldWords[place]
      numbers[slot] = oldNumbers[place]
    }
  }
}

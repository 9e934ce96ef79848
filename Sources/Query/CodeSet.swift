// What a predicate on a coded column comes down to: the set of its codes.

import Columns

/// A set of 32-bit codes: a few of them, or a bit for each, or all but those.
struct CodeSet: Hashable, Sendable {
  enum Members: Hashable, Sendable {
    /// At most `fewLimit`, rising.
    case few([UInt32])
    /// Bit `code` of the words; larger codes are not members.
    case bits([UInt64])
  }

  let members: Members
  /// The members as the loops over lanes want them.
  let codes: CodeMembers
  /// The set is all codes but the members.
  let isComplement: Bool

  /// So many codes are tested one after the other; beyond, a bitmap is looked up.
  static let fewLimit = 6

  static let nothing = CodeSet(members: .few([]), isComplement: false)
  static let everything = CodeSet(members: .few([]), isComplement: true)

  private init(members: Members, isComplement: Bool) {
    self.members = members
    codes =
      switch members {
      case .few(let codes): CodeMembers(codes)
      case .bits(let words): CodeMembers(bits: words)
      }
    self.isComplement = isComplement
  }

  /// The set of those codes, or of all others.
  init(_ codes: some Sequence<UInt32>, complement: Bool = false) {
    var distinct = codes.sorted()
    var last: UInt32?
    distinct.removeAll { code in
      defer { last = code }
      return code == last
    }
    if distinct.count <= Self.fewLimit {
      self.init(members: .few(distinct), isComplement: complement)
    } else {
      var words = [UInt64](repeating: 0, count: Int(distinct[distinct.count - 1]) / 64 + 1)
      for code in distinct { words[Int(code >> 6)] |= 1 << UInt64(code & 63) }
      self.init(members: .bits(words), isComplement: complement)
    }
  }

  /// The codes whose bit is set.
  init(bits: [UInt64]) {
    self.init(members: .bits(bits), isComplement: false)
  }

  /// The marked codes.
  init(marks: CodeMarks) {
    var few: [UInt32] = []
    for (place, word) in marks.words.enumerated() where word != 0 {
      var rest = word
      while rest != 0, few.count <= Self.fewLimit {
        few.append(UInt32(place << 6 | rest.trailingZeroBitCount))
        rest &= rest &- 1
      }
      if few.count > Self.fewLimit { break }
    }
    if few.count > Self.fewLimit { self.init(bits: marks.words) } else { self.init(few) }
  }

  var isNothing: Bool { self == .nothing }
  var isEverything: Bool { self == .everything }

  func contains(_ code: UInt32) -> Bool {
    let isMember: Bool
    switch members {
    case .few(let codes): isMember = codes.contains(code)
    case .bits(let words):
      isMember = Int(code >> 6) < words.count && words[Int(code >> 6)] >> UInt64(code & 63) & 1 != 0
    }
    return isMember != isComplement
  }
}

// Patterns over identifiers, tested on the 128 bits of a UUID instead of its text.

import Columns
import Ledger

/// A `like` on identifiers of one kind. The text of a UUID is the kind's prefix and hexadecimal digits with
/// hyphens at fixed places, so each run of plain characters of a pattern comes down to masks over 128 bits,
/// or to a search for its digits in all places at once. Patterns with one run need no more; others are
/// confirmed on the text.
struct IdentifierPattern {
  /// Some of the digits have those values.
  private struct Mask: Equatable {
    var highMask: UInt64 = 0
    var high: UInt64 = 0
    var lowMask: UInt64 = 0
    var low: UInt64 = 0

    @inline(__always)
    func matches(_ high: UInt64, _ low: UInt64) -> Bool {
      (high ^ self.high) & highMask | (low ^ self.low) & lowMask == 0
    }
  }

  /// What a run asks for; plain values, so that a row touches no reference count.
  private struct Condition {
    /// One of those of `masks` fits; empty when it is about digits.
    var masks: Range<Int>
    /// Those of `digits` follow one another, the first at an allowed place: the highest bit of its four.
    var digits: Range<Int>
    var high: UInt64 = 0
    var low: UInt64 = 0
  }

  private let pattern: LikePattern
  private let kind: EntityKind
  private var conditions: [Condition] = []
  private var masks: [Mask] = []
  /// Each digit in all sixteen places of a word.
  private var digits: [UInt64] = []
  /// A UUID that meets the conditions fits.
  let isExact: Bool

  init(_ pattern: LikePattern, kind: EntityKind) {
    self.pattern = pattern
    self.kind = kind
    switch pattern.shape {
    case .exact, .prefix, .suffix, .infix, .everything: isExact = true
    case .general: isExact = false
    }
    let template = Self.template(kind)
    for run in pattern.runs {
      if !run.isAtStart && !run.isAtEnd, let digits = Self.digits(run.bytes, kind) {
        let (high, low) = Self.starts(digits.count)
        let start = self.digits.count
        self.digits += digits.map { UInt64($0) &* 0x1111_1111_1111_1111 }
        conditions.append(Condition(masks: 0..<0, digits: start..<self.digits.count, high: high, low: low))
        continue
      }
      let last = template.count - run.bytes.count
      let places = run.isAtStart ? 0..<1 : run.isAtEnd ? last..<last + 1 : 0..<max(last + 1, 0)
      let start = masks.count
      masks += places.compactMap { Self.mask(run.bytes, at: $0, template, isAtEnd: run.isAtEnd) }
      conditions.append(Condition(masks: start..<masks.count, digits: 0..<0))
    }
    // The empty text.
    if pattern.shape == .exact([]) { conditions.append(Condition(masks: 0..<0, digits: 0..<0)) }
  }

  /// Whether a row's identifier fits.
  @inline(__always)
  func matches(_ row: RowIndex, _ identifiers: IdentifierColumn, _ reader: RowReader) -> Bool {
    let stored = identifiers.storedIdentifier(row)
    if stored.isUUID {
      if !mayMatch(stored.high, stored.low) { return false }
      if isExact { return true }
    }
    return reader.withIdentifier(identifiers, row) { pattern.matches($0) }
  }

  /// Makes a bit of each of 64 rows (or fewer): whether it may fit. Exact where the identifier is a UUID and
  /// `isExact`. One condition after the other, so that each is one plain loop over the rows.
  func candidates(_ rows: UnsafePointer<StoredIdentifier>, count: Int) -> UInt64 {
    var chosen: UInt64 = .max
    if count < 64 { chosen = 1 << UInt64(count) - 1 }
    var texts: UInt64 = 0
    for row in 0..<count where unsafe !rows[row].isUUID { texts |= 1 << UInt64(row) }
    for condition in conditions {
      chosen &=
        unsafe texts
        | (condition.digits.isEmpty
          ? fitting(condition, rows, count) : following(condition, rows, count))
      if chosen == 0 { return 0 }
    }
    return chosen
  }

  private func fitting(
    _ condition: Condition, _ rows: UnsafePointer<StoredIdentifier>, _ count: Int
  ) -> UInt64 {
    var found: UInt64 = 0
    for place in condition.masks {
      let mask = masks[place]
      for row in 0..<count {
        let fits = unsafe mask.matches(rows[row].high, rows[row].low)
        found |= (fits ? 1 : 0) << UInt64(row)
      }
    }
    return found
  }

  private func following(
    _ condition: Condition, _ rows: UnsafePointer<StoredIdentifier>, _ count: Int
  ) -> UInt64 {
    unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 128) { places in
      guard let highs = places.baseAddress else { return .max }
      let lows = unsafe highs + 64
      unsafe highs.update(repeating: condition.high, count: 64)
      unsafe lows.update(repeating: condition.low, count: 64)
      var shift: UInt64 = 0
      for place in condition.digits {
        let digit = digits[place]
        for row in 0..<count {
          let high = unsafe Self.equalDigits(rows[row].high ^ digit)
          let low = unsafe Self.equalDigits(rows[row].low ^ digit)
          // What stands `shift` bits further right comes to the place of the first digit.
          unsafe highs[row] &= high &<< shift | (low &>> 1) &>> (63 &- shift)
          unsafe lows[row] &= low &<< shift
        }
        shift += 4
      }
      var found: UInt64 = 0
      for row in 0..<count { found |= (unsafe highs[row] | lows[row] != 0 ? 1 : 0) << UInt64(row) }
      return found
    }
  }

  @inline(__always)
  private func mayMatch(_ high: UInt64, _ low: UInt64) -> Bool {
    for place in conditions.indices {
      let condition = conditions[place]
      if condition.digits.isEmpty {
        if !condition.masks.contains(where: { masks[$0].matches(high, low) }) { return false }
      } else if !hasDigits(condition, high, low) {
        return false
      }
    }
    return true
  }

  @inline(__always)
  private func hasDigits(_ condition: Condition, _ high: UInt64, _ low: UInt64) -> Bool {
    var (highPlaces, lowPlaces) = (condition.high, condition.low)
    var shift: UInt64 = 0
    for place in condition.digits {
      let digit = digits[place]
      let highEqual = Self.equalDigits(high ^ digit)
      let lowEqual = Self.equalDigits(low ^ digit)
      // What stands `shift` bits further right comes to the place of the first digit.
      highPlaces &= highEqual << shift | lowEqual >> (64 - shift)
      lowPlaces &= lowEqual << shift
      shift += 4
    }
    return highPlaces | lowPlaces != 0
  }

  /// The highest bit of each four that are 0.
  @inline(__always)
  private static func equalDigits(_ word: UInt64) -> UInt64 {
    let low: UInt64 = 0x7777_7777_7777_7777
    return ~(((word & low) &+ low) | word | low)
  }

  // MARK: Making

  /// The characters of a UUID's text; 0 for a digit.
  private static func template(_ kind: EntityKind) -> [UInt8] {
    let hyphen = UInt8(ascii: "-")
    return Array(kind.prefix.description.utf8)
      + (0..<UUIDText.byteCount).map { [8, 13, 18, 23].contains($0) ? hyphen : 0 }
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
  }

  /// The run as digits, if it is nothing else and cannot stand in the prefix.
  private static func digits(_ run: [UInt8], _ kind: EntityKind) -> [UInt8]? {
    let digits = run.compactMap(digit)
    // No group has more than twelve.
    guard digits.count == run.count, digits.count <= 12 else { return nil }
    let prefix = Array(kind.prefix.description.utf8)
    for start in prefix.indices where prefix[start...].starts(with: run) { return nil }
    return digits
  }

  /// Places where so many digits follow one another without a hyphen.
  private static func starts(_ count: Int) -> (high: UInt64, low: UInt64) {
    var (high, low): (UInt64, UInt64) = (0, 0)
    for group in [0..<8, 8..<12, 12..<16, 16..<20, 20..<32] where group.count >= count {
      for place in group.lowerBound...group.upperBound - count {
        if place < 16 { high |= 8 << UInt64(60 - place * 4) } else { low |= 8 << UInt64(124 - place * 4) }
      }
    }
    return (high, low)
  }

  /// The mask of a run that stands at a place of the text; nil when it cannot.
  private static func mask(_ run: [UInt8], at start: Int, _ template: [UInt8], isAtEnd: Bool) -> Mask? {
    guard start >= 0, start + run.count <= template.count else { return nil }
    if isAtEnd && start + run.count != template.count { return nil }
    var mask = Mask()
    for (offset, byte) in run.enumerated() {
      let place = start + offset
      if template[place] != 0 {
        if template[place] != byte { return nil }
        continue
      }
      guard let digit = digit(byte) else { return nil }
      let number = template[..<place].count { $0 == 0 }
      let shift = UInt64((15 - number & 15) * 4)
      if number < 16 {
        mask.highMask |= 15 << shift
        mask.high |= UInt64(digit) << shift
      } else {
        mask.lowMask |= 15 << shift
        mask.low |= UInt64(digit) << shift
      }
    }
    return mask
  }
}

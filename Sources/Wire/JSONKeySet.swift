// Finding a key that stands twice in one object, in time that no choice of keys can make quadratic.

/// Scratch memory for comparing the keys of one object at a time, reused from object to object.
///
/// Few keys are compared pairwise by their first eight bytes and lengths; many, or any with escapes, go
/// through an open-addressing table under Swift's `Hasher`, whose key is drawn when the process starts.
struct JSONKeySet: ~Copyable {
  /// More keys than this are hashed.
  static let mostCompared = 12
  /// A table with more slots than this is given back by `shrink`.
  static let keptSlots = 1 << 14

  /// Words made of each key's length and first bytes: equal keys have equal words.
  private var words: [12 of UInt64] = .init(repeating: 0)
  /// Slots of the table: upper half of the hash, then the index of the key's token; 0 is free (no key is
  /// the first token).
  private var slots: [UInt64] = []
  private var scratch: [UInt8] = []
  private var otherScratch: [UInt8] = []

  mutating func shrink() {
    if slots.count > Self.keptSlots { slots = [] }
    if scratch.capacity > Self.keptSlots { scratch = [] }
    if otherScratch.capacity > Self.keptSlots { otherScratch = [] }
  }

  /// The first key of the closed object at `object` that equals one before it. O(keys, their bytes).
  mutating func duplicate(in object: Int, of tape: borrowing JSONTape, _ bytes: Span<UInt8>) -> JSONFault? {
    let count = Int(tape[object].storedCount)
    if count < 2 { return nil }
    if count <= Self.mostCompared, areClearlyDistinct(count, object, tape, bytes) { return nil }
    return duplicateByHash(in: object, of: tape, bytes)
  }

  /// Whether no two keys agree in length and first eight bytes, and none has escapes.
  @inline(__always)
  private mutating func areClearlyDistinct(
    _ count: Int, _ object: Int, _ tape: borrowing JSONTape, _ bytes: Span<UInt8>
  ) -> Bool {
    var at = object + 1
    var isAnyEqual = false
    for index in 0..<count {
      let key = tape[at]
      if key.isFlagged { return false }
      let word = Self.word(of: key, bytes)
      for earlier in 0..<index { isAnyEqual = isAnyEqual || words[earlier] == word }
      words[index] = word
      at = Int(tape[at + 1].next)
    }
    return !isAnyEqual
  }

  /// Length and first eight bytes of a key without escapes, in one word that equal keys share.
  @inline(__always)
  private static func word(of key: JSONToken, _ bytes: Span<UInt8>) -> UInt64 {
    let start = Int(key.start) + 1
    let byteCount = Int(key.end) - 1 - start
    return JSONWord.load(bytes, start, byteCount) ^ UInt64(truncatingIfNeeded: byteCount)
      &* 0x9e37_79b9_7f4a_7c15
  }

  private mutating func duplicateByHash(
    in object: Int, of tape: borrowing JSONTape, _ bytes: Span<UInt8>
  ) -> JSONFault? {
    let end = Int(tape[object].next)
    var keyCount = 0
    var at = object + 1
    while at < end {
      keyCount += 1
      at = Int(tape[at + 1].next)
    }
    makeSlots(for: keyCount)
    at = object + 1
    while at < end {
      if let earlier = insert(at, tape, bytes) { return fault(earlier, at, tape, bytes) }
      at = Int(tape[at + 1].next)
    }
    return nil
  }

  private mutating func makeSlots(for keyCount: Int) {
    var slotCount = 16
    while slotCount < keyCount * 2 { slotCount *= 2 }
    slots.removeAll(keepingCapacity: true)
    slots.append(contentsOf: repeatElement(0, count: slotCount))
  }

  /// Puts the key at `index` into the table; the index of the equal key that is there already.
  private mutating func insert(_ index: Int, _ tape: borrowing JSONTape, _ bytes: Span<UInt8>) -> Int? {
    Self.contents(of: tape[index], bytes, into: &scratch)
    let hash = ByteText.hash(scratch)
    let entry = hash & ~0xffff_ffff | UInt64(index)
    var slot = Int(hash & UInt64(slots.count - 1))
    while slots[slot] != 0 {
      if (slots[slot] ^ entry) >> 32 == 0 {
        let earlier = Int(slots[slot] & 0xffff_ffff)
        Self.contents(of: tape[earlier], bytes, into: &otherScratch)
        if scratch == otherScratch { return earlier }
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    slots[slot] = entry
    return nil
  }

  /// The key's text after unescaping.
  private static func contents(of key: JSONToken, _ bytes: Span<UInt8>, into text: inout [UInt8]) {
    text.removeAll(keepingCapacity: true)
    let raw = bytes.extracting(Int(key.start) + 1..<Int(key.end) - 1)
    if key.isFlagged {
      JSONText.unescape(raw, into: &text)
    } else {
      ByteText.append(raw, to: &text)
    }
  }

  private mutating func fault(
    _ first: Int, _ second: Int, _ tape: borrowing JSONTape, _ bytes: Span<UInt8>
  ) -> JSONFault {
    Self.contents(of: tape[second], bytes, into: &scratch)
    return .duplicateKey(
      name: String(decoding: scratch, as: UTF8.self), firstOffset: Int(tape[first].start),
      secondOffset: Int(tape[second].start))
  }
}

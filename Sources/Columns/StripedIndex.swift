// A hash index from keys to row numbers, in stripes with a lock each.

import Platform

/// Finds rows by a key that lies elsewhere: the index keeps only hashes and row numbers, and asks its caller
/// whether a candidate is the one. Any thread may look up; one writer inserts. Growth of a stripe moves that
/// stripe alone.
///
/// The hash must be keyed (`KeyHash`), because clients choose many of the keys.
/// Memory: 8 bytes a slot, at most three quarters of the slots used.
@safe @usableFromInline package final class StripedIndex: Sendable {
  @inlinable static var stripeCount: Int { 64 }
  private static let firstSlotCount = 16

  /// A slot: high half the upper half of the hash (its tag), low half the row plus one; 0 is empty. The tag
  /// alone says where a slot belongs, so that growing needs no key; the low bits of the hash choose the
  /// stripe.
  @safe @usableFromInline struct Stripe {
    @usableFromInline var slots: UnsafeMutablePointer<UInt64>
    @usableFromInline var mask: Int
    @usableFromInline var used: Int
    /// Where large slots lie; nil for small ones, which have memory of their own.
    var region: Region?
  }

  private let locks = LockTable(count: stripeCount)
  @usableFromInline nonisolated(unsafe) let stripes: UnsafeMutablePointer<Stripe>

  package init() {
    unsafe stripes = .allocate(capacity: Self.stripeCount)
    for index in 0..<Self.stripeCount {
      unsafe (stripes + index).initialize(to: Self.emptyStripe(slotCount: Self.firstSlotCount))
    }
  }

  deinit {
    for index in 0..<Self.stripeCount { unsafe Self.free(stripes[index]) }
    unsafe stripes.deinitialize(count: Self.stripeCount)
    unsafe stripes.deallocate()
  }

  /// Bytes of all slots. O(stripes).
  package var byteCount: Int {
    var total = 0
    for index in 0..<Self.stripeCount {
      total += locks.withLock(index) { unsafe (stripes[index].mask + 1) * 8 }
    }
    return total
  }

  /// The row with that hash for which `isMatch` holds. O(1) expected.
  /// - Warning: `isMatch` runs under the stripe's lock and must not take another.
  @inline(__always)
  package func row(hash: UInt64, where isMatch: (RowIndex) -> Bool) -> RowIndex? {
    locks.withLock(Self.stripe(of: hash)) { writerRow(hash: hash, where: isMatch) }
  }

  /// The same for the one writer, who needs no lock to look up, because nobody else inserts.
  @inlinable @inline(__always)
  package func writerRow(hash: UInt64, where isMatch: (RowIndex) -> Bool) -> RowIndex? {
    let (slots, mask) = unsafe (stripes[Self.stripe(of: hash)].slots, stripes[Self.stripe(of: hash)].mask)
    let tag = hash >> 32
    var place = Int(truncatingIfNeeded: tag) & mask
    while true {
      let slot = unsafe slots[place]
      if slot == 0 { return nil }
      if slot >> 32 == tag {
        let row = RowIndex(UInt32(truncatingIfNeeded: slot) &- 1)
        if isMatch(row) { return row }
      }
      place = (place &+ 1) & mask
    }
  }

  /// Asks for the slot of a hash. Writer only.
  @inlinable @inline(__always)
  package func prefetch(hash: UInt64) {
    let stripe = unsafe stripes + Self.stripe(of: hash)
    unsafe Kernels.prefetch(
      stripe.pointee.slots + (Int(truncatingIfNeeded: hash >> 32) & stripe.pointee.mask))
  }

  /// The first row whose tag fits a hash, most likely the one with its key: for prefetching. Writer only.
  @inlinable @inline(__always)
  package func likelyRow(hash: UInt64) -> RowIndex? {
    writerRow(hash: hash) { _ in true }
  }

  @inlinable @inline(__always)
  static func stripe(of hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (stripeCount - 1) }

  /// Adds a row. The writer has made sure that its key is not present. O(1) amortised.
  package func insert(hash: UInt64, row: RowIndex) {
    let number = Self.stripe(of: hash)
    let stripe = unsafe stripes + number
    locks.lock(number)
    if unsafe (stripe.pointee.used + 1) * 4 > (stripe.pointee.mask + 1) * 3 { unsafe grow(&stripe.pointee) }
    unsafe Self.place((hash & ~0xFFFF_FFFF) | (UInt64(row.rawValue) + 1), in: stripe.pointee)
    unsafe stripe.pointee.used += 1
    locks.unlock(number)
  }

  /// Adds the rows from `first` on, whose keys must be new, while no other thread uses the index: without
  /// locks, and with the memory of rows to come asked for ahead, four times as fast as one by one.
  /// - Parameters:
  ///   - hash: of the key of the row at a place, from 0 on.
  ///   - isSame: whether the row, whose hash is the same in part, has the key of the row at the place.
  /// - Returns: the place of the first row whose key another has already; rows before it are in. Nil when all
  ///   are.
  @inlinable package func fill(
    from first: RowIndex, count: Int, hash: (_ place: Int) -> UInt64,
    isSame: (_ row: RowIndex, _ place: Int) -> Bool
  ) -> Int? {
    unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Self.fillBatch) { hashes in
      var start = 0
      while start < count {
        let batch = min(Self.fillBatch, count - start)
        for place in 0..<batch {
          unsafe hashes[place] = hash(start + place)
          unsafe prefetch(hash: hashes[place])
        }
        for place in 0..<batch {
          let hash = unsafe hashes[place]
          if writerRow(hash: hash, where: { isSame($0, start + place) }) != nil { return start + place }
          insertAlone(hash: hash, row: RowIndex(first.index + start + place))
        }
        start += batch
      }
      return nil
    }
  }

  @inlinable static var fillBatch: Int { 64 }

  /// As `insert`, while no other thread uses the index.
  @inlinable @inline(__always)
  func insertAlone(hash: UInt64, row: RowIndex) {
    let stripe = unsafe stripes + Self.stripe(of: hash)
    if unsafe (stripe.pointee.used + 1) * 4 > (stripe.pointee.mask + 1) * 3 {
      growAlone(Self.stripe(of: hash))
    }
    let (slots, mask) = unsafe (stripe.pointee.slots, stripe.pointee.mask)
    var place = Int(truncatingIfNeeded: hash >> 32) & mask
    while unsafe slots[place] != 0 { place = (place &+ 1) & mask }
    unsafe slots[place] = (hash & ~0xFFFF_FFFF) | (UInt64(row.rawValue) + 1)
    unsafe stripe.pointee.used += 1
  }

  @usableFromInline func growAlone(_ number: Int) { unsafe grow(&stripes[number]) }

  /// Makes room for `rowCount` rows in all, so that inserting them moves nothing. Writer only.
  package func reserve(_ rowCount: Int) {
    // Hashes spread evenly: a stripe rarely has a tenth more than its share.
    let share = rowCount / Self.stripeCount * 11 / 10
    for number in 0..<Self.stripeCount {
      locks.withLock(number) {
        var slotCount = unsafe stripes[number].mask + 1
        while (share + 1) * 4 > slotCount * 3 { slotCount *= 2 }
        if unsafe slotCount > stripes[number].mask + 1 {
          unsafe grow(&stripes[number], slotCount: slotCount)
        }
      }
    }
  }

  private func grow(_ stripe: inout Stripe) { grow(&stripe, slotCount: (stripe.mask + 1) * 2) }

  private func grow(_ stripe: inout Stripe, slotCount: Int) {
    let old = stripe
    var grown = Self.emptyStripe(slotCount: slotCount)
    grown.used = old.used
    for index in 0...old.mask {
      let slot = unsafe old.slots[index]
      if slot != 0 { Self.place(slot, in: grown) }
    }
    stripe = grown
    Self.free(old)
  }

  private static func free(_ stripe: Stripe) {
    if stripe.region == nil { unsafe stripe.slots.deallocate() }
  }

  @inline(__always)
  private static func place(_ slot: UInt64, in stripe: Stripe) {
    var place = Int(truncatingIfNeeded: slot >> 32) & stripe.mask
    while unsafe stripe.slots[place] != 0 { place = (place &+ 1) & stripe.mask }
    unsafe stripe.slots[place] = slot
  }

  private static func emptyStripe(slotCount: Int) -> Stripe {
    if slotCount * 8 >= PageMemory.hugePageByteCount {
      let region = Region(byteCount: slotCount * 8)
      let slots = unsafe region.base.bindMemory(to: UInt64.self, capacity: slotCount)
      return unsafe Stripe(slots: slots, mask: slotCount - 1, used: 0, region: region)
    }
    let slots = UnsafeMutablePointer<UInt64>.allocate(capacity: slotCount)
    unsafe slots.initialize(repeating: 0, count: slotCount)
    return unsafe Stripe(slots: slots, mask: slotCount - 1, used: 0, region: nil)
  }
}

/// Hashes of keys that clients choose: keyed by a secret of this process, so that nobody can aim at one slot.
@usableFromInline package enum KeyHash {
  /// Folded multiplications (as in wyhash) of 16 bytes each under the secret: a quarter of the cost of
  /// SipHash.
  package static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    let secret = secret
    let count = bytes.count
    var state = secret.0 ^ UInt64(truncatingIfNeeded: count)
    guard let start = bytes.baseAddress, count > 0 else { return fold(state, secret.1) }
    var place = 0
    while count &- place > 16 {
      state = unsafe fold(word(start, place) ^ secret.1, word(start, place &+ 8) ^ state)
      place &+= 16
    }
    let last: (UInt64, UInt64)
    if count >= 16 {
      unsafe last = (word(start, count &- 16), word(start, count &- 8))
    } else if count >= 8 {
      unsafe last = (word(start, 0), word(start, count &- 8))
    } else if count >= 4 {
      unsafe last = (halfWord(start, 0), halfWord(start, count &- 4))
    } else {
      // One to three bytes: first, middle and last.
      unsafe last = (
        UInt64(bytes[0]) << 16 | UInt64(bytes[count / 2]) << 8 | UInt64(bytes[count &- 1]), 0
      )
    }
    return fold(fold(last.0 ^ secret.1, last.1 ^ state) ^ secret.2, state ^ secret.3)
  }

  @inline(__always)
  private static func word(_ start: UnsafeRawPointer, _ place: Int) -> UInt64 {
    unsafe start.loadUnaligned(fromByteOffset: place, as: UInt64.self)
  }

  @inline(__always)
  private static func halfWord(_ start: UnsafeRawPointer, _ place: Int) -> UInt64 {
    UInt64(unsafe start.loadUnaligned(fromByteOffset: place, as: UInt32.self))
  }

  /// Two rounds of folded multiplication (as in wyhash) under the secret: a fifth of the cost of SipHash.
  package static func hash(_ high: UInt64, _ low: UInt64) -> UInt64 {
    let secret = secret
    return fold(fold(high ^ secret.0, low ^ secret.1) ^ secret.2, low ^ secret.3)
  }

  @inline(__always)
  private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }

  private static let secret: (UInt64, UInt64, UInt64, UInt64) = (random(1), random(2), random(3), random(4))

  /// Swift's hasher is seeded at random in each process.
  private static func random(_ number: Int) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(number)
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }
}

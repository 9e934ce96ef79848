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
    var used: Int
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
    for index in 0..<Self.stripeCount { unsafe stripes[index].slots.deallocate() }
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

  /// Makes room for `rowCount` rows in all, so that inserting them moves nothing. Writer only.
  package func reserve(_ rowCount: Int) {
    // Hashes spread evenly: a stripe rarely has a tenth more than its share.
    let share = rowCount / Self.stripeCount * 11 / 10
    for number in 0..<Self.stripeCount {
      locks.withLock(number) {
        while unsafe (share + 1) * 4 > (stripes[number].mask + 1) * 3 { unsafe grow(&stripes[number]) }
      }
    }
  }

  private func grow(_ stripe: inout Stripe) {
    let old = stripe
    var grown = Self.emptyStripe(slotCount: (old.mask + 1) * 2)
    grown.used = old.used
    for index in 0...old.mask {
      let slot = unsafe old.slots[index]
      if slot != 0 { Self.place(slot, in: grown) }
    }
    unsafe old.slots.deallocate()
    stripe = grown
  }

  @inline(__always)
  private static func place(_ slot: UInt64, in stripe: Stripe) {
    var place = Int(truncatingIfNeeded: slot >> 32) & stripe.mask
    while unsafe stripe.slots[place] != 0 { place = (place &+ 1) & stripe.mask }
    unsafe stripe.slots[place] = slot
  }

  private static func emptyStripe(slotCount: Int) -> Stripe {
    let slots = UnsafeMutablePointer<UInt64>.allocate(capacity: slotCount)
    unsafe slots.initialize(repeating: 0, count: slotCount)
    return unsafe Stripe(slots: slots, mask: slotCount - 1, used: 0)
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

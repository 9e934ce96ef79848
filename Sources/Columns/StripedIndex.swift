// A hash index from keys to row numbers, in stripes with a lock each.

import Platform

/// Finds rows by a key that lies elsewhere: the index keeps only hashes and row numbers, and asks its caller
/// whether a candidate is the one. Any thread may look up; one writer inserts. Growth of a stripe moves that
/// stripe alone.
///
/// The hash must be keyed (`KeyHash`), because clients choose many of the keys.
/// Memory: 8 bytes a slot, at most three quarters of the slots used.
@safe @usableFromInline package final class StripedIndex: Sendable {
  private static let stripeCount = 64
  private static let firstSlotCount = 16

  /// A slot: high half the upper half of the hash (its tag), low half the row plus one; 0 is empty. The tag
  /// alone says where a slot belongs, so that growing needs no key; the low bits of the hash choose the
  /// stripe.
  @safe private struct Stripe {
    var slots: UnsafeMutablePointer<UInt64>
    var mask: Int
    var used: Int
  }

  private let locks = LockTable(count: stripeCount)
  private nonisolated(unsafe) let stripes: UnsafeMutablePointer<Stripe>

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
  @inline(__always)
  package func writerRow(hash: UInt64, where isMatch: (RowIndex) -> Bool) -> RowIndex? {
    let stripe = unsafe stripes[Self.stripe(of: hash)]
    let tag = hash >> 32
    var place = Int(tag) & stripe.mask
    while true {
      let slot = unsafe stripe.slots[place]
      if slot == 0 { return nil }
      if slot >> 32 == tag {
        let row = RowIndex(UInt32(truncatingIfNeeded: slot) &- 1)
        if isMatch(row) { return row }
      }
      place = (place + 1) & stripe.mask
    }
  }

  /// Asks for the slot of a hash. Writer only.
  package func prefetch(hash: UInt64) {
    let stripe = unsafe stripes[Self.stripe(of: hash)]
    unsafe Kernels.prefetch(stripe.slots + (Int(hash >> 32) & stripe.mask))
  }

  /// The first row whose tag fits a hash, most likely the one with its key: for prefetching. Writer only.
  package func likelyRow(hash: UInt64) -> RowIndex? {
    writerRow(hash: hash) { _ in true }
  }

  private static func stripe(of hash: UInt64) -> Int { Int(hash & UInt64(stripeCount - 1)) }

  /// Adds a row. The writer has made sure that its key is not present. O(1) amortised.
  package func insert(hash: UInt64, row: RowIndex) {
    let number = Self.stripe(of: hash)
    locks.withLock(number) {
      if unsafe (stripes[number].used + 1) * 4 > (stripes[number].mask + 1) * 3 {
        unsafe grow(&stripes[number])
      }
      unsafe Self.place((hash & ~0xFFFF_FFFF) | (UInt64(row.rawValue) + 1), in: stripes[number])
      unsafe stripes[number].used += 1
    }
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

  private static func place(_ slot: UInt64, in stripe: Stripe) {
    var place = Int(slot >> 32) & stripe.mask
    while unsafe stripe.slots[place] != 0 { place = (place + 1) & stripe.mask }
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
  /// SipHash.
  @inlinable package static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hasher = Hasher()
    unsafe hasher.combine(bytes: bytes)
    return UInt64(bitPattern: Int64(hasher.finalize()))
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

// Which rows bear a key: lists that only grow, read from the newest row back without locks.

import Synchronization

/// Rows by key. One writer appends (under the books' creation lock); readers walk any list at any time
/// without locking, from its newest rows to its oldest.
///
/// A list lies in extents of 4, 8, … 1,024 rows, each linked to the one before it:
/// ```
///  0  previous   place of the extent before it, in units of 16 bytes, 0 for none
///  4  base       rows of the list before this extent
///  8  capacity   rows that it has room for
/// 12  state      rows in it, and the top bit: some row of the list does not rise
/// 16  rows       capacity × UInt32, in the order in which they were appended
/// ```
/// `state` is published with release order after the row, an extent's place after its first row. So a reader
/// sees a list as it was at one moment; rows that its cut does not see may be among them, and it tests for
/// that.
///
/// Memory: 4 bytes a row and at most as much again of room, 16 a list's extent, 4 a key.
@safe @usableFromInline package final class RowLists: Sendable {
  private typealias Head = Atomic<UInt32>

  private static let unitByteCount = 16
  private static let firstCapacity: UInt32 = 4
  private static let capacityLimit: UInt32 = 1024
  private static let countMask: UInt32 = 0x7FFF_FFFF
  /// Extents are cut out of slabs.
  private static let slabShift = 20
  private static let slabByteCount = 1 << slabShift
  private static let slabLimit = (Int(UInt32.max) * unitByteCount) >> slabShift
  /// Heads lie in segments.
  private static let headShift = 12
  private static let headCount = 1 << headShift
  private static let directoryCount = (Int(UInt32.max) >> headShift) + 1

  /// Segments of heads, made as far as `keyLimit` says. A head is the place of the newest extent, 0 for none.
  private nonisolated(unsafe) let directory: UnsafeMutablePointer<UnsafeMutablePointer<Head>>
  private let keyLimit = Atomic<Int>(0)
  private let slabs = SegmentedColumn<UInt>()
  /// The next free unit, and so how many slabs there are; the writer's.
  private nonisolated(unsafe) let end: UnsafeMutablePointer<Int>
  private let reserved = Atomic<Int>(0)

  /// One extent, by its address.
  @safe private struct Extent {
    let base: UnsafeMutableRawPointer

    var previous: UInt32 { unsafe base.load(as: UInt32.self) }
    var rowsBefore: UInt32 { unsafe base.load(fromByteOffset: 4, as: UInt32.self) }
    var capacity: UInt32 { unsafe base.load(fromByteOffset: 8, as: UInt32.self) }
    var state: UnsafeMutablePointer<Atomic<UInt32>> {
      unsafe (base + 12).assumingMemoryBound(to: Atomic<UInt32>.self)
    }
    var rows: UnsafeMutablePointer<UInt32> { unsafe (base + 16).assumingMemoryBound(to: UInt32.self) }

    func initialize(previous: UInt32, rowsBefore: UInt32, capacity: UInt32, state first: UInt32) {
      unsafe base.storeBytes(of: previous, as: UInt32.self)
      unsafe base.storeBytes(of: rowsBefore, toByteOffset: 4, as: UInt32.self)
      unsafe base.storeBytes(of: capacity, toByteOffset: 8, as: UInt32.self)
      unsafe state.initialize(to: Atomic(first))
    }
  }

  package init() {
    unsafe directory = .allocate(capacity: Self.directoryCount)
    unsafe end = .allocate(capacity: 1)
    unsafe end.initialize(to: 0)
  }

  deinit {
    for slab in 0..<(unsafe end.pointee + Self.slabByteCount - 1) >> Self.slabShift {
      unsafe UnsafeMutableRawPointer(bitPattern: slabs[RowIndex(slab)])?.deallocate()
    }
    for place in 0..<keyLimit.load(ordering: .relaxed) >> Self.headShift {
      unsafe directory[place].deallocate()
    }
    unsafe directory.deallocate()
    unsafe end.deallocate()
  }

  /// Bytes of all extents and heads. Any thread.
  package var byteCount: Int { reserved.load(ordering: .relaxed) }

  // MARK: Reading

  /// Rows that were appended to the key's list. O(1).
  package func count(_ key: UInt32) -> Int {
    guard let extent = newestExtent(key) else { return 0 }
    return unsafe Int(extent.rowsBefore + extent.state.pointee.load(ordering: .acquiring) & Self.countMask)
  }

  /// Whether every row of the list is greater than the one appended before it, so that none is in it twice.
  /// True of an empty list. Once false it stays so. O(1).
  package func isRising(_ key: UInt32) -> Bool {
    guard let extent = newestExtent(key) else { return true }
    return unsafe extent.state.pointee.load(ordering: .acquiring) & ~Self.countMask == 0
  }

  /// Calls `body` with the rows of the key, the newest extent first, each in the order in which its rows were
  /// appended, until it returns false. O(rows visited).
  package func forEachExtentReversed(_ key: UInt32, _ body: (UnsafeBufferPointer<UInt32>) -> Bool) {
    var next = newestExtent(key)
    while let extent = next {
      let count = unsafe extent.state.pointee.load(ordering: .acquiring) & Self.countMask
      if unsafe !body(UnsafeBufferPointer(start: extent.rows, count: Int(count))) { return }
      next = self.extent(at: extent.previous)
    }
  }

  /// All rows of the key in the order in which they were appended. O(rows).
  package func rows(of key: UInt32) -> [UInt32] {
    var extents: [[UInt32]] = []
    unsafe forEachExtentReversed(key) { rows in
      unsafe extents.append(Array(rows))
      return true
    }
    return extents.reversed().flatMap { $0 }
  }

  /// Rows of the key that are smaller than `bound`. The list rises. O(extents with rows past the bound, and
  /// the logarithm of one extent).
  package func count(_ key: UInt32, below bound: RowIndex) -> Int {
    var next = newestExtent(key)
    while let extent = next {
      let count = unsafe Int(extent.state.pointee.load(ordering: .acquiring) & Self.countMask)
      let rows = unsafe extent.rows
      if unsafe rows[0] < bound.rawValue {
        var (low, high) = (1, count)
        while low < high {
          let middle = (low + high) / 2
          if unsafe rows[middle] < bound.rawValue { low = middle + 1 } else { high = middle }
        }
        return Int(extent.rowsBefore) + low
      }
      next = self.extent(at: extent.previous)
    }
    return 0
  }

  // MARK: Appending

  /// Appends a row to the key's list, unless it is the newest row there already. Writer only. O(1).
  package func append(_ row: RowIndex, to key: UInt32) {
    let head = unsafe headForWriting(key)
    guard let extent = unsafe extent(at: head.pointee.load(ordering: .relaxed)) else {
      unsafe head.pointee.store(
        makeExtent(row, previous: 0, rowsBefore: 0, capacity: Self.firstCapacity, flag: 0),
        ordering: .releasing)
      return
    }
    let state = unsafe extent.state.pointee.load(ordering: .relaxed)
    let count = state & Self.countMask
    let last = unsafe extent.rows[Int(count) - 1]
    if last == row.rawValue { return }
    let flag = state & ~Self.countMask | (last > row.rawValue ? ~Self.countMask : 0)
    if count < extent.capacity {
      unsafe extent.rows[Int(count)] = row.rawValue
      unsafe extent.state.pointee.store((count + 1) | flag, ordering: .releasing)
      return
    }
    let place = unsafe makeExtent(
      row, previous: head.pointee.load(ordering: .relaxed), rowsBefore: extent.rowsBefore + count,
      capacity: min(extent.capacity * 2, Self.capacityLimit), flag: flag)
    unsafe head.pointee.store(place, ordering: .releasing)
  }

  /// A new extent with one row, not yet linked to its head. Its place in units.
  private func makeExtent(
    _ row: RowIndex, previous: UInt32, rowsBefore: UInt32, capacity: UInt32, flag: UInt32
  ) -> UInt32 {
    let byteCount = Self.unitByteCount + Int(capacity) * 4
    var start = unsafe end.pointee
    // No extent spans slabs, and none begins at place 0, which stands for "none". A slab that is filled to
    // its last byte ends where the next one, which is not made yet, would begin.
    let used = start & (Self.slabByteCount - 1)
    if used == 0 || used + byteCount > Self.slabByteCount {
      start = (start + Self.slabByteCount - 1) & ~(Self.slabByteCount - 1)
      addSlab(start >> Self.slabShift)
      if start == 0 { start = Self.unitByteCount }
    }
    unsafe end.pointee = start + byteCount
    let extent = unsafe Extent(base: address(start))
    unsafe extent.rows[0] = row.rawValue
    extent.initialize(previous: previous, rowsBefore: rowsBefore, capacity: capacity, state: 1 | flag)
    return UInt32(start / Self.unitByteCount)
  }

  private func addSlab(_ number: Int) {
    precondition(number < Self.slabLimit, "places of extents fit 32 bits")
    let slab = UnsafeMutableRawPointer.allocate(byteCount: Self.slabByteCount, alignment: 64)
    slabs.append(UInt(bitPattern: slab), at: RowIndex(number))
    reserved.add(Self.slabByteCount, ordering: .relaxed)
  }

  // MARK: Places

  private func address(_ start: Int) -> UnsafeMutableRawPointer {
    let slab = unsafe UnsafeMutableRawPointer(bitPattern: slabs[RowIndex(start >> Self.slabShift)])
    return unsafe slab.unsafelyUnwrapped + (start & (Self.slabByteCount - 1))
  }

  private func extent(at place: UInt32) -> Extent? {
    place == 0 ? nil : unsafe Extent(base: address(Int(place) * Self.unitByteCount))
  }

  private func newestExtent(_ key: UInt32) -> Extent? {
    if Int(key) >= keyLimit.load(ordering: .acquiring) { return nil }
    return unsafe extent(at: head(key).pointee.load(ordering: .acquiring))
  }

  private func headForWriting(_ key: UInt32) -> UnsafeMutablePointer<Head> {
    while Int(key) >= keyLimit.load(ordering: .relaxed) { addHeads() }
    return unsafe head(key)
  }

  private func head(_ key: UInt32) -> UnsafeMutablePointer<Head> {
    unsafe directory[Int(key) >> Self.headShift] + (Int(key) & (Self.headCount - 1))
  }

  private func addHeads() {
    let limit = keyLimit.load(ordering: .relaxed)
    let heads = UnsafeMutablePointer<Head>.allocate(capacity: Self.headCount)
    for place in 0..<Self.headCount { unsafe (heads + place).initialize(to: Atomic(0)) }
    unsafe (directory + (limit >> Self.headShift)).initialize(to: heads)
    keyLimit.store(limit + Self.headCount, ordering: .releasing)
    reserved.add(Self.headCount * 4, ordering: .relaxed)
  }
}

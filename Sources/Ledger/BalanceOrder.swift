// Which balances hold more than which: an index on `balance`, brought up to date when somebody asks.

import Amounts
import Columns
import Platform
import Synchronization

/// A bucket index on what balances hold. A posting only notes that a balance has changed: a bit, and a place
/// on a list unless the bit was set. Whoever wants to read has the noted rows moved first, many together; a
/// writer moves the oldest when many are noted, so that a reader never waits long.
///
/// Everything here is done by who holds the creation lock.
@safe package final class BalanceOrder: Sendable {
  /// Rows that may be noted when a command is done. Moving them takes some 0.4 ms, which the first reader
  /// waits for.
  static let notedLimit = 4_096
  /// Rows that a writer moves at least, so that their waits for memory overlap.
  static let leastMoved = 128

  @safe private struct State {
    /// Whether every row is in the index or noted.
    var isOpen = false
    /// A ring of noted rows, oldest at `head`; both numbers only grow, and are masked.
    var ring: UnsafeMutablePointer<UInt32>
    var mask = BalanceOrder.firstRingCount - 1
    var head = 0
    var tail = 0
    /// The greatest row plus one.
    var rowCount = 0
  }
  private static let firstRingCount = 256

  private let totals: BlockTable
  fileprivate let index = BucketIndex()
  /// By row, 64 to a word: whether it is on the ring.
  private let noted = SegmentedColumn<UInt64>()
  private nonisolated(unsafe) let state: UnsafeMutablePointer<State>
  private let bytes = Atomic<Int>(0)

  /// An order that is not open: it notes nothing.
  init(totals: BlockTable) {
    self.totals = totals
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: State(ring: .allocate(capacity: Self.firstRingCount)))
  }

  deinit {
    unsafe state.pointee.ring.deallocate()
    unsafe state.deallocate()
  }

  /// Bytes of the index and the notes, as they were when rows were last moved. Any thread.
  package var byteCount: Int { bytes.load(ordering: .relaxed) }

  private func countBytes() {
    let count = unsafe index.byteCount + state.pointee.rowCount / 8 + state.pointee.mask * 4
    bytes.store(count, ordering: .relaxed)
  }

  /// Rows that are noted and not moved.
  package var notedCount: Int { unsafe state.pointee.tail - state.pointee.head }

  // MARK: Writing

  /// Notes that a balance has changed.
  @inline(__always)
  func note(_ row: RowIndex) {
    if unsafe !state.pointee.isOpen { return }
    let word = unsafe noted.place(of: RowIndex(row.rawValue >> 6))
    let bit = UInt64(1) << UInt64(row.rawValue & 63)
    if unsafe word.pointee & bit != 0 { return }
    unsafe word.pointee |= bit
    push(row)
  }

  /// Asks for the memory of a row's note.
  @inline(__always)
  func prefetchNote(_ row: RowIndex) {
    if unsafe state.pointee.isOpen { noted.prefetch(RowIndex(row.rawValue >> 6)) }
  }

  /// Notes a new row, the next one.
  func append(_ row: RowIndex) {
    if unsafe !state.pointee.isOpen { return }
    if row.rawValue & 63 == 0 { noted.append(0, at: RowIndex(row.rawValue >> 6)) }
    unsafe state.pointee.rowCount = row.index + 1
    note(row)
  }

  @inline(__always)
  private func push(_ row: RowIndex) {
    if unsafe state.pointee.tail &- state.pointee.head > state.pointee.mask { growRing() }
    unsafe state.pointee.ring[state.pointee.tail & state.pointee.mask] = row.rawValue
    unsafe state.pointee.tail &+= 1
  }

  private func growRing() {
    let (old, oldMask) = unsafe (state.pointee.ring, state.pointee.mask)
    let count = (oldMask + 1) * 2
    let ring = UnsafeMutablePointer<UInt32>.allocate(capacity: count)
    for place in unsafe state.pointee.head..<state.pointee.tail {
      unsafe ring[place & (count - 1)] = old[place & oldMask]
    }
    unsafe state.pointee.ring = unsafe ring
    unsafe state.pointee.mask = count - 1
    unsafe old.deallocate()
  }

  /// Moves the oldest rows if too many are noted: as many as the command has added above the limit. For the
  /// end of a command.
  @inline(__always)
  func drain() {
    let above = notedCount - Self.notedLimit
    if above > 0 { moveNoted(max(above, Self.leastMoved)) }
  }

  /// Moves the oldest `limit` rows that are noted.
  private func moveNoted(_ limit: Int) {
    defer { countBytes() }
    let end = unsafe state.pointee.head + min(limit, notedCount)
    unsafe index.reserve(rowCount: state.pointee.rowCount)
    unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: BucketIndex.window) { rows in
      unsafe withUnsafeTemporaryAllocation(of: BucketKey.self, capacity: BucketIndex.window) { keys in
        unsafe prefetch(from: state.pointee.head, to: end)
        while unsafe state.pointee.head < end {
          let first = unsafe state.pointee.head
          let count = min(end - first, BucketIndex.window)
          // The next rows come near while these are moved.
          prefetch(from: first + count, to: end)
          for place in 0..<count {
            let row = unsafe state.pointee.ring[(first + place) & state.pointee.mask]
            unsafe rows[place] = row
            unsafe keys[place] = key(of: row)
            let word = unsafe noted.place(of: RowIndex(row >> 6))
            unsafe word.pointee &= ~(UInt64(1) << UInt64(row & 63))
          }
          unsafe index.move(
            UnsafeBufferPointer(rebasing: rows[..<count]), to: keys.baseAddress.unsafelyUnwrapped
          ) { key(of: $0) }
          unsafe state.pointee.head = first + count
        }
      }
    }
  }

  /// Asks for what a window of noted rows needs.
  private func prefetch(from first: Int, to end: Int) {
    for place in first..<min(first + BucketIndex.window, end) {
      let row = unsafe state.pointee.ring[place & state.pointee.mask]
      index.prefetch(row)
      prefetchAmount(row)
    }
  }

  // MARK: Opening

  /// Begins to keep the order: puts all rows in, once. O(rows), some 100 ns each.
  func open(rowCount: Int) {
    if unsafe state.pointee.isOpen { return }
    noted.append(repeating: 0, count: (rowCount + 63) / 64, at: RowIndex(0))
    if rowCount > 0 { index.build(rowCount: rowCount) { key(of: $0) } }
    unsafe state.pointee.rowCount = rowCount
    unsafe state.pointee.isOpen = true
    countBytes()
  }

  /// Opens the order if it is not, and moves all noted rows.
  /// - Parameter rowCount: balances now.
  func refresh(rowCount: Int) {
    open(rowCount: rowCount)
    moveNoted(.max)
  }

  /// What is wrong with an order that has been refreshed; nothing if it is not open.
  func checkInvariants(rowCount: Int, limit: Int) -> [String] {
    guard unsafe state.pointee.isOpen else { return [] }
    var faults = index.checkInvariants(rowCount: rowCount, limit: limit) { key(of: $0) }
    for word in 0..<(rowCount + 63) / 64 where noted[RowIndex(word)] != 0 {
      faults.append("balances near row \(word * 64) are noted and not on the list")
    }
    return faults
  }

  // MARK: Amounts now

  private func prefetchAmount(_ row: UInt32) {
    let row = RowIndex(row)
    guard let block = totals.currentBlock(Layout.chunk(of: row)) else { return }
    AmountBlock(block, laneCount: BalanceTable.Lane.count)
      .prefetch(lane: BalanceTable.Lane.balance, slot: Layout.slot(of: row))
  }

  /// The balance in a lane, and the block that has it if it is wide.
  @inline(__always)
  private func narrow(_ row: UInt32) -> (value: Int64, block: AmountBlock?) {
    let row = RowIndex(row)
    guard let block = totals.currentBlock(Layout.chunk(of: row)) else { return (0, nil) }
    let amounts = AmountBlock(block, laneCount: BalanceTable.Lane.count)
    return unsafe (amounts.lane(BalanceTable.Lane.balance)[Layout.slot(of: row)], amounts)
  }

  @inline(__always)
  private func key(of row: UInt32) -> BucketKey {
    let narrow = narrow(row)
    if narrow.value != AmountBlock.wideMark { return BucketKey(narrow.value) }
    return BucketKey(amount(row))
  }

  fileprivate func amount(_ row: UInt32) -> Amount {
    let narrow = narrow(row)
    guard let block = narrow.block else { return .zero }
    return block.amount(lane: BalanceTable.Lane.balance, slot: Layout.slot(of: RowIndex(row)))
  }

  /// Puts the first rows by amount and row in order, at most `limit`, and drops the others. O(rows), and
  /// O(limit log limit).
  fileprivate func sort(_ rows: inout [UInt32], first limit: Int, descending isDescending: Bool) {
    for row in rows { prefetchAmount(row) }
    var keys: [OrderKey<Int64>] = []
    keys.reserveCapacity(rows.count)
    for row in rows {
      let value = narrow(row).value
      if value == AmountBlock.wideMark { return sortWide(&rows, first: limit, descending: isDescending) }
      keys.append(OrderKey(value, row, isTurned: isDescending))
    }
    OrderKey.putInOrder(&keys, first: limit, into: &rows, isTurned: isDescending)
  }

  private func sortWide(_ rows: inout [UInt32], first limit: Int, descending isDescending: Bool) {
    var keys: [OrderKey<Int128>] = []
    keys.reserveCapacity(rows.count)
    for row in rows {
      guard let value = amount(row).int128 else {
        var wide = rows.map { (amount: amount($0), row: $0) }
        wide.sort { $0.amount == $1.amount ? $0.row < $1.row : $0.amount < $1.amount }
        rows = isDescending ? wide.reversed().map(\.row) : wide.map(\.row)
        if rows.count > limit { rows.removeSubrange(limit...) }
        return
      }
      keys.append(OrderKey(value, row, isTurned: isDescending))
    }
    OrderKey.putInOrder(&keys, first: limit, into: &rows, isTurned: isDescending)
  }
}

/// A row and what it holds, ordered by that and then by the row; complements turn the order around.
private struct OrderKey<Value: FixedWidthInteger & BitwiseCopyable>: Comparable, BitwiseCopyable {
  let value: Value
  let row: UInt32

  @inline(__always)
  init(_ value: Value, _ row: UInt32, isTurned: Bool) {
    self.value = isTurned ? ~value : value
    self.row = isTurned ? ~row : row
  }

  /// The rows of the first `limit` keys in order.
  @inline(__always)
  static func putInOrder(
    _ keys: inout [OrderKey], first limit: Int, into rows: inout [UInt32], isTurned: Bool
  ) {
    if limit < keys.count {
      select(&keys, limit)
      keys.removeSubrange(limit...)
    }
    keys.sort()
    rows.removeAll(keepingCapacity: true)
    for key in keys { rows.append(isTurned ? ~key.row : key.row) }
  }

  @inline(__always)
  static func < (left: OrderKey, right: OrderKey) -> Bool {
    left.value < right.value || (left.value == right.value && left.row < right.row)
  }

  /// Brings the least `count` keys to the front, in no order (Hoare's quickselect). O(keys) expected.
  @inline(__always)
  private static func select(_ keys: inout [OrderKey], _ count: Int) {
    var span = keys.mutableSpan
    var (low, high) = (0, span.count - 1)
    while low < high {
      let pivot = span[low + (high - low) / 2]
      var (left, right) = (low, high)
      while left <= right {
        while span[left] < pivot { left += 1 }
        while pivot < span[right] { right -= 1 }
        if left <= right {
          span.swapAt(left, right)
          left += 1
          right -= 1
        }
      }
      if count <= right {
        high = right
      } else if count >= left {
        low = left
      } else {
        return
      }
    }
  }
}

/// The order as an instant view sees it: every balance at its place. Rows are ordered by amount and, where
/// amounts are equal, by row number; descending is the reverse of that.
package struct LiveBalanceOrder {
  private let order: BalanceOrder

  /// The order has been refreshed, and the caller holds the creation lock for as long as the value is used.
  init(_ order: BalanceOrder) { self.order = order }

  /// All balances.
  package var count: Int { order.index.count }

  // MARK: Counts and ranks, some 0.5 µs and what one part's rows cost (256 at most)

  /// Balances from `low` to `high`, both included; nil for no bound.
  package func count(from low: Amount?, through high: Amount?) -> Int {
    if let low, let high, low > high { return 0 }
    return (high.map { rank(after: $0) } ?? count) - (low.map { rank(of: $0) } ?? 0)
  }

  /// Balances that hold less than an amount: where it begins, ascending.
  package func rank(of amount: Amount) -> Int {
    rank(amount, row: 0) { $0 < amount }
  }

  /// Balances that hold an amount or less: where it ends, ascending. Descending, those above it are
  /// `count - rank(after:)`.
  package func rank(after amount: Amount) -> Int {
    rank(amount, row: .max, countsEqual: true) { $0 <= amount }
  }

  /// Balances that come before an amount in a row, ascending: those that hold less, and those of lower rows
  /// that hold the same. Descending, `count - rank - 1` come before it if it is there, else `count - rank`.
  package func rank(of amount: Amount, row: RowIndex) -> Int {
    order.index.withPlace(of: BucketKey(amount), row: row.rawValue) { before, part in
      var rank = before
      for index in unsafe part.rows.indices {
        let other = unsafe part.rows[index]
        let otherAmount = part.isExact ? amount : order.amount(other)
        if otherAmount < amount || (otherAmount == amount && other < row.rawValue) { rank += 1 }
      }
      return rank
    }
  }

  private func rank(
    _ amount: Amount, row: UInt32, countsEqual: Bool = false, _ isCounted: (Amount) -> Bool
  ) -> Int {
    order.index.withPlace(of: BucketKey(amount), row: row) { before, part in
      var rank = before
      for index in unsafe part.rows.indices {
        let other = unsafe part.rows[index]
        if part.isExact ? countsEqual : isCounted(order.amount(other)) { rank += 1 }
      }
      return rank
    }
  }

  // MARK: Walks

  /// Goes through parts of the order, each with the rows of neighbouring amounts, or of one amount and
  /// neighbouring numbers; in no order inside a part, 256 rows at most (more only from 2^127 on).
  /// - Parameters:
  ///   - skipping: rows to pass over first; whole parts are passed by their counts, and the first part that
  ///     is given says how many of its own rows are still to be passed over.
  ///   - body: false ends the walk.
  /// - Complexity: O(parts given), some 0.5 µs to begin.
  package func forEachPart(
    descending isDescending: Bool, skipping: Int = 0, _ body: (BucketPart) -> Bool
  ) {
    order.index.walk(descending: isDescending, skipping: skipping, body)
  }

  /// The same from an amount on, which is included.
  package func forEachPart(
    descending isDescending: Bool, from amount: Amount, _ body: (BucketPart) -> Bool
  ) {
    let skipping = isDescending ? count - rank(after: amount) : rank(of: amount)
    forEachPart(descending: isDescending, skipping: skipping, body)
  }

  /// The rows of a part in order, without those that are to be passed over. O(rows log rows), some 10 µs for
  /// 256.
  package func sortedRows(of part: BucketPart, descending isDescending: Bool) -> [RowIndex] {
    var rows = unsafe Array(part.rows)
    if part.isExact {
      if isDescending { rows.sort(by: >) } else { rows.sort() }
    } else {
      order.sort(&rows, first: .max, descending: isDescending)
    }
    return rows.dropFirst(part.skipped).map { RowIndex($0) }
  }

  /// Puts the first `limit` of some rows in order and drops the others. O(rows), and O(limit log limit).
  package func sort(_ rows: inout [UInt32], first limit: Int, descending isDescending: Bool) {
    order.sort(&rows, first: limit, descending: isDescending)
  }

  /// `limit` rows in order after the first `skipping`.
  package func page(descending isDescending: Bool, skipping: Int, limit: Int) -> [RowIndex] {
    var page: [RowIndex] = []
    if limit <= 0 { return page }
    forEachPart(descending: isDescending, skipping: skipping) { part in
      page += sortedRows(of: part, descending: isDescending).prefix(limit - page.count)
      return page.count < limit
    }
    return page
  }
}

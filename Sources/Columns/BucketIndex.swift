// Rows in the order of their amounts, nearly: counted buckets by leading bits, divided where they grow large.

import Amounts

/// Rows by amount, for ranges, ranks, and pages in order.
///
/// ```
/// 2^19 buckets by sign, exponent and 11 bits      counts also for every 32 and every 1,024 of them
///   └ a bucket with more than 256 rows: 16 parts by the next 4 bits of the amount
///       └ … until the amount is said: 64 parts by the first 6 bits of the row number, and so on
/// ```
/// A part that is not divided keeps its rows in no order, at most 256 of them, so what must be put in order
/// for a page, or looked at for a bound, is never much; that many rows have one amount makes no difference,
/// because their parts are then in the order of the rows. Each row knows its part and its place there. A
/// part with few rows in all is one array again.
///
/// Where a row lies is what its amount was when it was last moved: the keeper moves rows whose amount has
/// changed (late, many together), and only then are counts and order those of the amounts. One thread at a
/// time. About 15 bytes a row, and 8 MiB for the buckets once there are rows.
@safe package final class BucketIndex: Sendable {
  /// Rows of an undivided part at most.
  package static let partRows = RowArrays.capacityLimit
  /// A divided part with no more rows than this is put together.
  static let reunitedRows = partRows / 4
  /// Rows that are moved together, so that their waits for memory overlap.
  package static let window = 64
  static let rangeShift: UInt32 = 5
  static let greatRangeShift: UInt32 = 10

  struct State: ~Copyable {
    var arrays = RowArrays()
    var nodes = BucketNodes()
    var count = 0
  }

  nonisolated(unsafe) let state: UnsafeMutablePointer<State>
  /// By row: where it is; zeros for a row that is not in.
  let places = RegionColumn<BucketPlace>(capacity: Layout.rowLimit)
  /// Each 32 buckets, and the rows of each 1,024.
  nonisolated(unsafe) let ranges: UnsafeMutablePointer<BucketRange>
  nonisolated(unsafe) let greatRangeCounts: UnsafeMutablePointer<UInt32>

  package init() {
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: State())
    unsafe ranges = .allocate(capacity: BucketKey.bucketCount >> Int(Self.rangeShift))
    unsafe ranges.initialize(
      repeating: BucketRange(), count: BucketKey.bucketCount >> Int(Self.rangeShift))
    unsafe greatRangeCounts = .allocate(capacity: BucketKey.bucketCount >> Int(Self.greatRangeShift))
    unsafe greatRangeCounts.initialize(
      repeating: 0, count: BucketKey.bucketCount >> Int(Self.greatRangeShift))
  }

  deinit {
    unsafe state.deinitialize(count: 1)
    unsafe state.deallocate()
    unsafe ranges.deallocate()
    unsafe greatRangeCounts.deallocate()
  }

  /// Rows that are in.
  package var count: Int { unsafe state.pointee.count }

  /// Bytes of all parts and of what rows know.
  package var byteCount: Int {
    unsafe state.pointee.arrays.byteCount + state.pointee.nodes.byteCount + places.byteCount
  }

  /// Makes room for rows below `rowCount`.
  package func reserve(rowCount: Int) {
    unsafe state.pointee.nodes.open()
    places.reserve(rowCount)
  }

  // MARK: Moving rows

  /// Asks for what says where a row lies.
  package func prefetch(_ row: UInt32) { unsafe Kernels.prefetch(places.place(Int(row))) }

  /// Puts rows where their keys say, new rows and rows that are in. O(rows), and dividing parts now and then.
  /// - Parameters:
  ///   - rows: at most `window`, below the reserved count.
  ///   - keyOf: the key of any row now; also of a row that is still to be moved.
  package func move(
    _ rows: UnsafeBufferPointer<UInt32>, to keys: UnsafePointer<BucketKey>, keyOf: (UInt32) -> BucketKey
  ) {
    for place in rows.indices {
      unsafe state.pointee.nodes.prefetch(places.place(Int(rows[place])).pointee.part)
      unsafe state.pointee.nodes.prefetch(keys[place].bucket)
    }
    for place in rows.indices { unsafe prefetchPlaces(of: rows[place]) }
    unsafe prefetchWays(of: rows, keys)
    for place in rows.indices { unsafe prefetchSuccessor(of: rows[place]) }
    for place in rows.indices { unsafe move(rows[place], to: keys[place], keyOf: keyOf) }
  }

  /// Goes down to the parts where rows belong, all of them a level at a time, and asks for the place where a
  /// part's next row goes.
  private func prefetchWays(of rows: UnsafeBufferPointer<UInt32>, _ keys: UnsafePointer<BucketKey>) {
    unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Self.window) { numbers in
      for place in rows.indices { unsafe numbers[place] = keys[place].bucket }
      var goesOn = true
      while goesOn {
        goesOn = false
        for place in rows.indices {
          let node = unsafe state.pointee.nodes[numbers[place]].pointee
          if !node.isDivided { continue }
          let digit = unsafe BucketKey.depth(of: keys[place].bucket)
            .digit(Int(node.level), keys[place].rest, row: rows[place])
          unsafe numbers[place] = node.place + UInt32(digit)
          unsafe state.pointee.nodes.prefetch(numbers[place])
          goesOn = true
        }
      }
      for place in rows.indices { unsafe prefetchEnd(of: numbers[place]) }
    }
  }

  /// Asks for a row's place in its part and the last one there, and for the node above.
  private func prefetchPlaces(of row: UInt32) {
    let place = unsafe places.place(Int(row)).pointee
    let node = unsafe state.pointee.nodes[place.part]
    if unsafe place.part == 0 || node.pointee.count == 0 { return }
    let rows = unsafe state.pointee.arrays.rows(node.pointee.place)
    unsafe Kernels.prefetch(rows + Int(place.place))
    unsafe Kernels.prefetch(rows + Int(node.pointee.count) - 1)
    unsafe state.pointee.nodes.prefetch(node.pointee.parent)
  }

  /// Asks for what knows where the row is that will take a row's place.
  private func prefetchSuccessor(of row: UInt32) {
    let part = unsafe places.place(Int(row)).pointee.part
    let node = unsafe state.pointee.nodes[part]
    if unsafe part == 0 || node.pointee.count == 0 { return }
    let last = unsafe state.pointee.arrays.rows(node.pointee.place)[Int(node.pointee.count) - 1]
    unsafe Kernels.prefetch(places.place(Int(last)))
  }

  /// Asks for the place where a part's next row goes.
  private func prefetchEnd(of number: UInt32) {
    let node = unsafe state.pointee.nodes[number]
    if unsafe node.pointee.count == 0 { return }
    unsafe Kernels.prefetch(state.pointee.arrays.rows(node.pointee.place) + Int(node.pointee.count))
  }

  @inline(__always)
  private func move(_ row: UInt32, to key: BucketKey, keyOf: (UInt32) -> BucketKey) {
    let place = unsafe places.place(Int(row)).pointee
    if place.part != 0 {
      if place.part == part(of: row, key) { return }
      remove(row, from: place)
    }
    insert(row, key, keyOf: keyOf)
  }

  /// The part where a row with that key belongs.
  @inline(__always)
  func part(of row: UInt32, _ key: BucketKey) -> UInt32 {
    var number = key.bucket
    guard unsafe state.pointee.nodes[number].pointee.isDivided else { return number }
    let depth = BucketKey.depth(of: key.bucket)
    var level = 0
    while unsafe state.pointee.nodes[number].pointee.isDivided {
      number =
        unsafe state.pointee.nodes[number].pointee.place
        + UInt32(depth.digit(level, key.rest, row: row))
      level += 1
    }
    return number
  }

  private func insert(_ row: UInt32, _ key: BucketKey, keyOf: (UInt32) -> BucketKey) {
    count(bucket: key.bucket, 1)
    unsafe ranges[Int(key.bucket >> Self.rangeShift)].occupied |= BucketRange.bit(key.bucket)
    var number = key.bucket
    var level = 0
    let depth = BucketKey.depth(of: key.bucket)
    while true {
      let node = unsafe state.pointee.nodes[number]
      if unsafe !node.pointee.isDivided {
        if unsafe node.pointee.count < Self.partRows {
          unsafe append(row, to: node, number)
          return
        }
        divide(number, depth, keyOf: keyOf)
      }
      unsafe node.pointee.count += 1
      number = unsafe node.pointee.place + UInt32(depth.digit(level, key.rest, row: row))
      level += 1
    }
  }

  private func remove(_ row: UInt32, from place: BucketPlace) {
    let node = unsafe state.pointee.nodes[place.part]
    let rows = unsafe state.pointee.arrays.rows(node.pointee.place)
    let last = unsafe Int(node.pointee.count) - 1
    unsafe assert(rows[Int(place.place)] == row, "a row lies in its place")
    unsafe rows[Int(place.place)] = rows[last]
    unsafe places.place(Int(rows[last])).pointee = place
    unsafe node.pointee.count -= 1
    let capacity = unsafe RowArrays.capacity(node.pointee.sizeClass)
    if last == 0 {
      unsafe resize(node, to: 0)
    } else if last <= capacity / 4, capacity > 4 {
      unsafe resize(node, to: node.pointee.sizeClass - 1)
    }
    var number = place.part
    var small: UInt32 = 0
    while number >= BucketKey.bucketCount {
      number = unsafe state.pointee.nodes[number].pointee.parent
      let above = unsafe state.pointee.nodes[number]
      unsafe above.pointee.count -= 1
      if unsafe above.pointee.count <= Self.reunitedRows { small = number }
    }
    count(bucket: number, -1)
    if unsafe state.pointee.nodes[number].pointee.count == 0 {
      unsafe ranges[Int(number >> Self.rangeShift)].occupied &= ~BucketRange.bit(number)
    }
    if small != 0 { reunite(small) }
  }

  @inline(__always)
  private func count(bucket: UInt32, _ change: Int32) {
    let change = UInt32(bitPattern: change)
    unsafe ranges[Int(bucket >> Self.rangeShift)].count &+= change
    unsafe greatRangeCounts[Int(bucket >> Self.greatRangeShift)] &+= change
    unsafe state.pointee.count += change == 1 ? 1 : -1
  }

  // MARK: Arrays

  @inline(__always)
  func append(_ row: UInt32, to node: UnsafeMutablePointer<BucketNode>, _ number: UInt32) {
    let count = unsafe Int(node.pointee.count)
    if unsafe count == RowArrays.capacity(node.pointee.sizeClass) {
      unsafe resize(node, to: node.pointee.sizeClass + 1)
    }
    unsafe state.pointee.arrays.rows(node.pointee.place)[count] = row
    unsafe places.place(Int(row)).pointee = BucketPlace(part: number, place: UInt32(count))
    unsafe node.pointee.count += 1
  }

  /// Gives an undivided node an array of another class, with the rows that it has.
  private func resize(_ node: UnsafeMutablePointer<BucketNode>, to sizeClass: UInt8) {
    let (oldPlace, oldClass) = unsafe (node.pointee.place, node.pointee.sizeClass)
    let place = sizeClass == 0 ? 0 : unsafe state.pointee.arrays.take(sizeClass)
    if oldClass != 0 {
      if sizeClass != 0 {
        let rows = unsafe state.pointee.arrays.rows(oldPlace)
        unsafe state.pointee.arrays.rows(place).update(from: rows, count: Int(node.pointee.count))
      }
      unsafe state.pointee.arrays.give(oldPlace, oldClass)
    }
    unsafe node.pointee.place = place
    unsafe node.pointee.sizeClass = sizeClass
  }

  // MARK: Dividing, putting together

  /// Divides a part. A row whose amount has changed since it was put in may come into a child that is none of
  /// its amount's; it will be moved.
  private func divide(_ number: UInt32, _ depth: BucketDepth, keyOf: (UInt32) -> BucketKey) {
    let node = unsafe state.pointee.nodes[number]
    let level = unsafe Int(node.pointee.level)
    let first = unsafe state.pointee.nodes.take(
      depth.childCount(level), parent: number, level: UInt8(level + 1))
    let (place, sizeClass) = unsafe (node.pointee.place, node.pointee.sizeClass)
    let rows = unsafe state.pointee.arrays.rows(place)
    let needsKeys = level < depth.amountLevels
    for index in unsafe 0..<Int(node.pointee.count) {
      let row = unsafe rows[index]
      let child = first + UInt32(depth.digit(level, needsKeys ? keyOf(row).rest : 0, row: row))
      unsafe append(row, to: state.pointee.nodes[child], child)
    }
    unsafe state.pointee.arrays.give(place, sizeClass)
    unsafe node.pointee.place = first
    unsafe node.pointee.sizeClass = 0
    unsafe node.pointee.isDivided = true
  }

  /// Makes one array of a divided part with few rows.
  private func reunite(_ number: UInt32) {
    let node = unsafe state.pointee.nodes[number]
    var rows: [UInt32] = []
    unsafe rows.reserveCapacity(Int(node.pointee.count))
    takeRows(ofChildren: number, into: &rows)
    unsafe node.pointee.isDivided = false
    unsafe node.pointee.place = 0
    unsafe node.pointee.count = 0
    for row in rows {
      unsafe append(row, to: node, number)
    }
  }

  private func takeRows(ofChildren number: UInt32, into rows: inout [UInt32]) {
    let node = unsafe state.pointee.nodes[number]
    let first = unsafe node.pointee.place
    let bucket = self.bucket(of: number)
    let childCount = unsafe BucketKey.depth(of: bucket).childCount(Int(node.pointee.level))
    for child in first..<first + UInt32(childCount) {
      let part = unsafe state.pointee.nodes[child]
      if unsafe part.pointee.isDivided {
        takeRows(ofChildren: child, into: &rows)
      } else if unsafe part.pointee.count > 0 {
        for index in unsafe 0..<Int(part.pointee.count) {
          unsafe rows.append(state.pointee.arrays.rows(part.pointee.place)[index])
        }
        unsafe state.pointee.arrays.give(part.pointee.place, part.pointee.sizeClass)
      }
    }
    unsafe state.pointee.nodes.give(first, childCount)
  }

  /// The bucket that a node is a part of.
  func bucket(of number: UInt32) -> UInt32 {
    var number = number
    while number >= BucketKey.bucketCount { number = unsafe state.pointee.nodes[number].pointee.parent }
    return number
  }
}

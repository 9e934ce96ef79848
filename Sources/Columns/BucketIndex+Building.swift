// A bucket index made in one go, and looked over.

extension BucketIndex {
  /// Puts all rows below `rowCount` in; none is in yet. O(rows), some 50 to 150 ns each, with 4 bytes a row
  /// of memory that is given back.
  /// - Parameter fewRows: so few are moved in instead, for which no look at every bucket is needed.
  package func build(
    rowCount: Int, fewRows: Int = BucketIndex.fewRows, keyOf: (UInt32) -> BucketKey
  ) {
    precondition(count == 0, "an index is built once")
    reserve(rowCount: rowCount)
    if rowCount < fewRows { return buildByMoves(rowCount: rowCount, keyOf: keyOf) }
    var ends = [UInt32](repeating: 0, count: BucketKey.bucketCount + 1)
    for row in 0..<rowCount {
      let bucket = keyOf(UInt32(row)).bucket
      unsafe places.place(row).pointee.part = bucket
      ends[Int(bucket) + 1] += 1
    }
    for bucket in 0..<BucketKey.bucketCount { ends[bucket + 1] += ends[bucket] }
    // Rows by bucket, those of one in rising order.
    var rows = [UInt32](repeating: 0, count: rowCount)
    for row in 0..<rowCount {
      let bucket = unsafe Int(places.place(row).pointee.part)
      rows[Int(ends[bucket])] = UInt32(row)
      ends[bucket] += 1
    }
    unsafe state.pointee.count = rowCount
    unsafe rows.withUnsafeMutableBufferPointer { rows in
      var start = 0
      for bucket in 0..<BucketKey.bucketCount {
        // What was the bucket's start is now its end.
        let end = Int(ends[bucket])
        if end == start { continue }
        unsafe ranges[bucket >> Int(Self.rangeShift)].count += UInt32(end - start)
        unsafe ranges[bucket >> Int(Self.rangeShift)].occupied |= BucketRange.bit(UInt32(bucket))
        unsafe greatRangeCounts[bucket >> Int(Self.greatRangeShift)] += UInt32(end - start)
        unsafe fill(
          UInt32(bucket), BucketKey.depth(of: UInt32(bucket)),
          UnsafeMutableBufferPointer(rebasing: rows[start..<end]), keyOf: keyOf)
        start = end
      }
    }
  }

  private func buildByMoves(rowCount: Int, keyOf: (UInt32) -> BucketKey) {
    for first in stride(from: 0, to: rowCount, by: Self.window) {
      let rows = Array(UInt32(first)..<UInt32(min(first + Self.window, rowCount)))
      let keys = rows.map(keyOf)
      unsafe rows.withUnsafeBufferPointer { rows in
        unsafe keys.withUnsafeBufferPointer { keys in
          unsafe move(rows, to: keys.baseAddress.unsafelyUnwrapped, keyOf: keyOf)
        }
      }
    }
  }

  /// Fills a node that is empty.
  private func fill(
    _ number: UInt32, _ depth: BucketDepth, _ rows: UnsafeMutableBufferPointer<UInt32>,
    keyOf: (UInt32) -> BucketKey
  ) {
    let node = unsafe state.pointee.nodes[number]
    unsafe node.pointee.count = UInt32(rows.count)
    if rows.count <= Self.partRows {
      let sizeClass = RowArrays.sizeClass(for: rows.count)
      unsafe node.pointee.sizeClass = sizeClass
      unsafe node.pointee.place = state.pointee.arrays.take(sizeClass)
      unsafe state.pointee.arrays.rows(node.pointee.place).update(
        from: rows.baseAddress.unsafelyUnwrapped, count: rows.count)
      for index in rows.indices {
        unsafe places.place(Int(rows[index])).pointee = BucketPlace(part: number, place: UInt32(index))
      }
      return
    }
    let level = unsafe Int(node.pointee.level)
    let childCount = depth.childCount(level)
    let needsKeys = level < depth.amountLevels
    var digits = [UInt8](repeating: 0, count: rows.count)
    var starts = [Int](repeating: 0, count: childCount + 1)
    for index in rows.indices {
      let row = unsafe rows[index]
      digits[index] = UInt8(depth.digit(level, needsKeys ? keyOf(row).rest : 0, row: row))
      starts[Int(digits[index]) + 1] += 1
    }
    for child in 0..<childCount { starts[child + 1] += starts[child] }
    // Rows of one amount lie in their order already.
    if needsKeys {
      let unsorted = unsafe Array(rows)
      var next = starts
      for index in unsorted.indices {
        unsafe rows[next[Int(digits[index])]] = unsorted[index]
        next[Int(digits[index])] += 1
      }
    }
    let first = unsafe state.pointee.nodes.take(childCount, parent: number, level: UInt8(level + 1))
    unsafe node.pointee.place = first
    unsafe node.pointee.isDivided = true
    for child in 0..<childCount where starts[child + 1] > starts[child] {
      unsafe fill(
        first + UInt32(child), depth,
        UnsafeMutableBufferPointer(rebasing: rows[starts[child]..<starts[child + 1]]), keyOf: keyOf)
    }
  }

  // MARK: Invariants

  /// Checks that every row is in the part of its amount and nowhere else, and that all counts add up.
  /// - Parameters:
  ///   - rowCount: rows that must be in, from 0.
  ///   - keyOf: the key of a row; all rows have been moved where it says.
  /// - Returns: what is wrong, at most `limit` texts.
  package func checkInvariants(rowCount: Int, limit: Int, keyOf: (UInt32) -> BucketKey) -> [String] {
    var faults: [String] = []
    func expect(_ holds: Bool, _ text: @autoclosure () -> String) {
      if !holds, faults.count < limit { faults.append(text()) }
    }
    expect(count == rowCount, "the index has \(count) rows in place of \(rowCount)")
    if count == 0 { return faults }
    for row in 0..<UInt32(rowCount) {
      let part = unsafe places.place(Int(row)).pointee.part
      expect(part == self.part(of: row, keyOf(row)), "row \(row) is not in the part of its amount")
    }
    var seen = 0
    // Few rows lie in few ranges: what a range without rows holds is looked at only when there are many.
    let isWhole = rowCount >= Self.fewRows
    var sums = [Int](repeating: 0, count: BucketKey.bucketCount >> Int(Self.greatRangeShift))
    let rangesOfGreat = Self.greatRangeShift - Self.rangeShift
    for range in 0..<BucketKey.bucketCount >> Int(Self.rangeShift) {
      let expected = unsafe Int(ranges[range].count)
      if expected == 0, !isWhole { continue }
      var sum = 0
      var occupied: UInt32 = 0
      for bucket in UInt32(range) << UInt32(Self.rangeShift)..<UInt32(range + 1) << UInt32(Self.rangeShift) {
        let count = checkNode(bucket, BucketKey.depth(of: bucket), expect)
        if count > 0 { occupied |= BucketRange.bit(bucket) }
        sum += count
      }
      expect(
        unsafe ranges[range].occupied == occupied, "range \(range) does not know which buckets have rows")
      expect(sum == expected, "the counts of range \(range) do not add up")
      sums[range >> Int(rangesOfGreat)] += sum
      seen += sum
    }
    expect(seen == rowCount, "the parts have \(seen) rows in place of \(rowCount)")
    for (range, sum) in sums.enumerated() {
      expect(unsafe Int(greatRangeCounts[range]) == sum, "the counts of great range \(range) do not add up")
    }
    return faults
  }

  /// From so many rows on every bucket is looked at, to make the index and to check it.
  package static var fewRows: Int { 10_000 }

  private func checkNode(
    _ number: UInt32, _ depth: BucketDepth, _ expect: (Bool, @autoclosure () -> String) -> Void
  ) -> Int {
    let node = unsafe state.pointee.nodes[number].pointee
    if !node.isDivided {
      let capacity = RowArrays.capacity(node.sizeClass)
      expect(Int(node.count) <= capacity, "part \(number) has more rows than room")
      if node.count == 0 {
        expect(capacity == 0, "part \(number) has room and no rows")
        return 0
      }
      for index in 0..<Int(node.count) {
        let row = unsafe state.pointee.arrays.rows(node.place)[index]
        let place = unsafe places.place(Int(row)).pointee
        expect(
          place.part == number && place.place == UInt32(index),
          "row \(row) does not know its place in part \(number)")
      }
      return Int(node.count)
    }
    expect(Int(node.count) > Self.reunitedRows, "part \(number) is divided and has few rows")
    var sum = 0
    for child in 0..<UInt32(depth.childCount(Int(node.level))) {
      let below = unsafe state.pointee.nodes[node.place + child].pointee
      expect(below.parent == number && below.level == node.level + 1, "part \(number) has another's child")
      sum += checkNode(node.place + child, depth, expect)
    }
    expect(sum == Int(node.count), "the counts of part \(number) do not add up")
    return sum
  }
}

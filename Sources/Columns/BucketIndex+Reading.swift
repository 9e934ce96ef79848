// Counts, ranks and walks over a bucket index.

import Amounts

/// Rows that lie together in a bucket index, in no order: all of them come after those of the parts before.
@safe package struct BucketPart {
  package let rows: UnsafeBufferPointer<UInt32>
  /// Whether all rows have one amount, so that their order is that of their numbers.
  package let isExact: Bool
  /// How many rows, from where the walk comes from, it has been told to skip; not 0 only in its first part.
  package let skipped: Int
}

extension BucketIndex {
  /// Goes through the parts that have rows.
  /// - Parameters:
  ///   - isDescending: from the greatest amount down, and in equal ones from the last row.
  ///   - skipping: rows to pass over first, whole ranges at a time.
  ///   - body: stops the walk with false.
  /// - Complexity: O(1) for skipping (some 600 counts), O(parts visited).
  package func walk(descending isDescending: Bool, skipping: Int = 0, _ body: (BucketPart) -> Bool) {
    if skipping >= count { return }
    var left = skipping
    let greatCount = BucketKey.bucketCount >> Int(Self.greatRangeShift)
    let rangeCount = 1 << Int(Self.greatRangeShift - Self.rangeShift)
    for step in 0..<greatCount {
      let great = isDescending ? greatCount - 1 - step : step
      let rows = unsafe Int(greatRangeCounts[great])
      if rows <= left {
        left -= rows
        continue
      }
      for step in 0..<rangeCount {
        let range = great * rangeCount + (isDescending ? rangeCount - 1 - step : step)
        let rows = unsafe Int(ranges[range].count)
        if rows <= left {
          left -= rows
          continue
        }
        // Where arrays lie is as good as random: the waits of a range overlap.
        if left == 0 { prefetchArrays(of: range) }
        var occupied = unsafe ranges[range].occupied
        while occupied != 0 {
          let place = isDescending ? 31 - occupied.leadingZeroBitCount : occupied.trailingZeroBitCount
          occupied &= ~(1 << UInt32(place))
          let bucket = UInt32(range << Int(Self.rangeShift) + place)
          if !visit(bucket, BucketKey.depth(of: bucket), isDescending, &left, body) { return }
        }
      }
    }
  }

  private func prefetchArrays(of range: Int) {
    var occupied = unsafe ranges[range].occupied
    while occupied != 0 {
      let node = unsafe state.pointee.nodes[
        UInt32(range << Int(Self.rangeShift) + occupied.trailingZeroBitCount)]
      occupied &= occupied &- 1
      if unsafe !node.pointee.isDivided {
        unsafe Kernels.prefetch(state.pointee.arrays.rows(node.pointee.place))
      }
    }
  }

  private func visit(
    _ number: UInt32, _ depth: BucketDepth, _ isDescending: Bool, _ left: inout Int,
    _ body: (BucketPart) -> Bool
  ) -> Bool {
    let node = unsafe state.pointee.nodes[number]
    let rows = unsafe Int(node.pointee.count)
    if rows <= left {
      left -= rows
      return true
    }
    if unsafe !node.pointee.isDivided || depth.isBeyond {
      let skipped = left
      left = 0
      return withPart(number, depth, skipped: skipped, body)
    }
    let first = unsafe node.pointee.place
    let childCount = unsafe depth.childCount(Int(node.pointee.level))
    for step in 0..<childCount {
      let child = first + UInt32(isDescending ? childCount - 1 - step : step)
      if !visit(child, depth, isDescending, &left, body) { return false }
    }
    return true
  }

  /// The rows of an undivided part; all rows of a bucket whose keys do not say all.
  private func withPart<Result>(
    _ number: UInt32, _ depth: BucketDepth, skipped: Int, _ body: (BucketPart) -> Result
  ) -> Result {
    let node = unsafe state.pointee.nodes[number]
    if unsafe node.pointee.isDivided {
      var rows: [UInt32] = []
      collect(number, depth, into: &rows)
      return unsafe rows.withUnsafeBufferPointer { rows in
        body(unsafe BucketPart(rows: rows, isExact: false, skipped: skipped))
      }
    }
    let count = unsafe Int(node.pointee.count)
    let start = count == 0 ? nil : unsafe UnsafePointer(state.pointee.arrays.rows(node.pointee.place))
    return unsafe body(
      BucketPart(
        rows: UnsafeBufferPointer(start: start, count: count),
        isExact: depth.isExact(Int(node.pointee.level)), skipped: skipped))
  }

  private func collect(_ number: UInt32, _ depth: BucketDepth, into rows: inout [UInt32]) {
    let node = unsafe state.pointee.nodes[number]
    if unsafe node.pointee.isDivided {
      for child in unsafe 0..<depth.childCount(Int(node.pointee.level)) {
        unsafe collect(node.pointee.place + UInt32(child), depth, into: &rows)
      }
    } else if unsafe node.pointee.count > 0 {
      let start = unsafe state.pointee.arrays.rows(node.pointee.place)
      for index in unsafe 0..<Int(node.pointee.count) { unsafe rows.append(start[index]) }
    }
  }

  /// Finds the place of an amount and a row in the order.
  /// - Parameter body: gets the number of rows in the parts before, and the part where the place is.
  /// - Complexity: O(1) (some 600 counts).
  package func withPlace<Result>(
    of key: BucketKey, row: UInt32, _ body: (_ before: Int, BucketPart) -> Result
  ) -> Result {
    let depth = BucketKey.depth(of: key.bucket)
    var before = rowCount(below: key.bucket)
    var number = key.bucket
    var level = 0
    while !depth.isBeyond, unsafe state.pointee.nodes[number].pointee.isDivided {
      let first = unsafe state.pointee.nodes[number].pointee.place
      let digit = UInt32(depth.digit(level, key.rest, row: row))
      for child in first..<first + digit { unsafe before += Int(state.pointee.nodes[child].pointee.count) }
      number = first + digit
      level += 1
    }
    return withPart(number, depth, skipped: 0) { body(before, $0) }
  }

  /// Rows of the buckets below one.
  private func rowCount(below bucket: UInt32) -> Int {
    if count == 0 { return 0 }
    var rows = 0
    let (great, range) = (Int(bucket >> Self.greatRangeShift), Int(bucket >> Self.rangeShift))
    for place in 0..<great { unsafe rows += Int(greatRangeCounts[place]) }
    for place in (great << Int(Self.greatRangeShift - Self.rangeShift))..<range {
      unsafe rows += Int(ranges[place].count)
    }
    for place in (UInt32(range) << Self.rangeShift)..<bucket {
      unsafe rows += Int(state.pointee.nodes[place].pointee.count)
    }
    return rows
  }
}

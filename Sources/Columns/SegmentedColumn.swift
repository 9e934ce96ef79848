// A column that only grows: one value a row, in segments that never move, read without locks.

/// Values by row number. One writer appends (under the books' creation lock); readers read any row whose
/// existence they learned through a lock or a cut, without locking. Nothing moves when the column grows.
///
/// Memory: segments of 65,536 values, of which the system gives only the pages that are touched.
@safe @usableFromInline package final class SegmentedColumn<Element: BitwiseCopyable & Sendable>: Sendable {
  /// log2 of the rows of a segment.
  @inlinable static var segmentShift: Int { 16 }
  @inlinable static var segmentRows: Int { 1 << segmentShift }
  private static var directoryCount: Int { (Layout.rowLimit >> segmentShift) + 1 }

  /// Segment addresses; a slot is written once, before the first row of its segment is published.
  @usableFromInline nonisolated(unsafe) let directory: UnsafeMutablePointer<UnsafeMutablePointer<Element>?>

  package init() {
    unsafe directory = .allocate(capacity: Self.directoryCount)
    unsafe directory.initialize(repeating: nil, count: 1)
    unsafe segmentCount.initialize(to: 0)
  }

  /// Segments made so far; touched by the writer alone.
  private nonisolated(unsafe) let segmentCount = UnsafeMutablePointer<Int>.allocate(capacity: 1)

  deinit {
    for segment in unsafe 0..<segmentCount.pointee { unsafe directory[segment]?.deallocate() }
    unsafe directory.deallocate()
    unsafe segmentCount.deallocate()
  }

  /// Makes room for row `row`; rows are opened in rising order by the writer. New values are uninitialised
  /// until set.
  @usableFromInline package func reserve(_ row: RowIndex) {
    while unsafe segmentCount.pointee <= row.index >> Self.segmentShift {
      let segment = UnsafeMutablePointer<Element>.allocate(capacity: Self.segmentRows)
      let place = unsafe segmentCount.pointee
      unsafe directory.advanced(by: place).initialize(to: segment)
      unsafe segmentCount.pointee = place + 1
    }
  }

  /// Where the value of a row lies, for changing a part of it in place.
  @inlinable @inline(__always)
  package func place(of row: RowIndex) -> UnsafeMutablePointer<Element> {
    let segment = unsafe directory[Int(row.rawValue >> UInt32(Self.segmentShift))].unsafelyUnwrapped
    return unsafe segment + Int(row.rawValue & UInt32(Self.segmentRows - 1))
  }

  /// The value of a row that is published, or that the writer has set. O(1).
  @inlinable package subscript(row: RowIndex) -> Element {
    @inline(__always) get { unsafe place(of: row).pointee }
    @inline(__always) set { unsafe place(of: row).pointee = newValue }
  }

  /// Asks for the memory of a row that exists.
  @inlinable @inline(__always)
  package func prefetch(_ row: RowIndex) { unsafe Kernels.prefetch(place(of: row)) }

  /// Reserves and sets a row's value; the writer's way to append.
  @inlinable @inline(__always)
  package func append(_ value: Element, at row: RowIndex) {
    if row.index & (Self.segmentRows - 1) == 0 { reserve(row) }
    self[row] = value
  }

  /// Appends many values, the first of them at `first`, the row after the last. Writer only. O(values).
  package func append(contentsOf values: UnsafeBufferPointer<Element>, at first: RowIndex) {
    var done = 0
    while done < values.count {
      let row = RowIndex(first.index + done)
      reserve(row)
      let count = min(values.count - done, Self.segmentRows - (row.index & (Self.segmentRows - 1)))
      unsafe place(of: row).update(from: values.baseAddress.unsafelyUnwrapped + done, count: count)
      done += count
    }
  }

  /// Appends one value many times, the first at `first`, the row after the last. Writer only. O(count).
  package func append(repeating value: Element, count: Int, at first: RowIndex) {
    var done = 0
    while done < count {
      let row = RowIndex(first.index + done)
      reserve(row)
      let part = min(count - done, Self.segmentRows - (row.index & (Self.segmentRows - 1)))
      unsafe place(of: row).update(repeating: value, count: part)
      done += part
    }
  }

  /// The values of `rowCount` rows from `first` on, which lie in one segment (every stripe does).
  /// - Warning: valid while the column lives; rows past the published count are not initialised.
  @inlinable package func values(from first: RowIndex, count rowCount: Int) -> UnsafeBufferPointer<Element> {
    precondition((first.index & (Self.segmentRows - 1)) + rowCount <= Self.segmentRows, "one segment")
    let segment = unsafe directory[first.index >> Self.segmentShift].unsafelyUnwrapped
    return unsafe UnsafeBufferPointer(
      start: segment + (first.index & (Self.segmentRows - 1)), count: rowCount)
  }
}

// A column that only grows: one value a row, in segments that never move, read without locks.

import Platform

/// Values by row number. One writer appends (under the books' creation lock); readers read any row whose
/// existence they learned through a lock or a cut, without locking. Nothing moves when the column grows.
///
/// Memory: segments of 65,536 values, of which the system gives only the pages that are touched.
@safe @usableFromInline package final class SegmentedColumn<Element: BitwiseCopyable & Sendable>: Sendable {
  /// log2 of the rows of a segment.
  @usableFromInline static var segmentShift: Int { 16 }
  @usableFromInline static var segmentRows: Int { 1 << segmentShift }
  private static var directoryCount: Int { (Layout.rowLimit >> segmentShift) + 1 }

  /// Segment addresses; a slot is written once, before the first row of its segment is published.
  @usableFromInline nonisolated(unsafe) let directory: UnsafeMutablePointer<UnsafeMutablePointer<Element>?>

  package init() {
    unsafe directory = .allocate(capacity: Self.directoryCount)
    unsafe directory.initialize(repeating: nil, count: 1)
    unsafe growth.initialize(to: Growth())
  }

  /// What the writer alone touches.
  private struct Growth {
    var segmentCount = 0
    var regions: [Region] = []
  }

  private nonisolated(unsafe) let growth = UnsafeMutablePointer<Growth>.allocate(capacity: 1)

  /// Segments that fill a huge page. The first so many come from the allocator one by one, so that small
  /// books stay small; the others together from the system.
  private static var groupCount: Int {
    max(1, PageMemory.hugePageByteCount / (segmentRows * MemoryLayout<Element>.stride))
  }

  deinit {
    for segment in unsafe 0..<min(growth.pointee.segmentCount, Self.groupCount) {
      unsafe directory[segment]?.deallocate()
    }
    unsafe directory.deallocate()
    unsafe growth.deinitialize(count: 1)
    unsafe growth.deallocate()
  }

  /// Makes room for row `row`; rows are opened in rising order by the writer. New values are uninitialised
  /// until set.
  @usableFromInline package func reserve(_ row: RowIndex) {
    while unsafe growth.pointee.segmentCount <= row.index >> Self.segmentShift {
      let place = unsafe growth.pointee.segmentCount
      unsafe directory.advanced(by: place).initialize(to: newSegment(place))
      unsafe growth.pointee.segmentCount = place + 1
    }
  }

  private func newSegment(_ place: Int) -> UnsafeMutablePointer<Element> {
    let group = Self.groupCount
    if place < group { return UnsafeMutablePointer<Element>.allocate(capacity: Self.segmentRows) }
    if place % group == 0 {
      let byteCount = group * Self.segmentRows * MemoryLayout<Element>.stride
      unsafe growth.pointee.regions.append(Region(byteCount: byteCount))
    }
    let base = unsafe growth.pointee.regions[place / group - 1].base
    return unsafe base.assumingMemoryBound(to: Element.self) + place % group * Self.segmentRows
  }

  /// The value of a row that is published, or that the writer has set. O(1).
  @inlinable package subscript(row: RowIndex) -> Element {
    get {
      unsafe directory[row.index >> Self.segmentShift].unsafelyUnwrapped[row.index & (Self.segmentRows - 1)]
    }
    set {
      unsafe directory[row.index >> Self.segmentShift].unsafelyUnwrapped[row.index & (Self.segmentRows - 1)] =
        newValue
    }
  }

  /// Asks for the memory of a row that exists.
  package func prefetch(_ row: RowIndex) {
    unsafe Kernels.prefetch(
      directory[row.index >> Self.segmentShift].unsafelyUnwrapped + (row.index & (Self.segmentRows - 1)))
  }

  /// Reserves and sets a row's value; the writer's way to append.
  @inlinable package func append(_ value: Element, at row: RowIndex) {
    if row.index & (Self.segmentRows - 1) == 0 { reserve(row) }
    self[row] = value
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

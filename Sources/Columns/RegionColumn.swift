// A column of zeros to begin with, on huge pages, for what is read and written in no order by one thread.

/// Values by number, zero until they are set, in segments of 2 MiB that never move. One thread at a time.
///
/// On small pages each random access would pay for a translation too, a third of what it costs.
@safe @usableFromInline final class RegionColumn<Element: BitwiseCopyable & Sendable>: Sendable {
  private static var segmentByteCount: Int { 2 << 20 }
  @usableFromInline static var segmentShift: Int {
    (2 << 20).trailingZeroBitCount - MemoryLayout<Element>.stride.trailingZeroBitCount
  }

  private let capacity: Int
  @usableFromInline nonisolated(unsafe) let directory: UnsafeMutablePointer<UnsafeMutablePointer<Element>?>
  private nonisolated(unsafe) let regions: UnsafeMutablePointer<[Region]>

  /// - Parameter capacity: the greatest number of values. The element's stride is a power of two.
  init(capacity: Int) {
    precondition(MemoryLayout<Element>.stride.nonzeroBitCount == 1, "segments hold whole elements")
    self.capacity = capacity
    unsafe directory = .allocate(capacity: capacity >> Self.segmentShift + 1)
    unsafe regions = .allocate(capacity: 1)
    unsafe regions.initialize(to: [])
  }

  deinit {
    unsafe regions.deinitialize(count: 1)
    unsafe regions.deallocate()
    unsafe directory.deallocate()
  }

  /// Makes room for the values below `count`. O(1), now and then a system call.
  func reserve(_ count: Int) {
    precondition(count <= capacity, "values that the column may have")
    while unsafe regions.pointee.count << Self.segmentShift < count {
      let region = Region(byteCount: Self.segmentByteCount)
      let segment = unsafe region.base.assumingMemoryBound(to: Element.self)
      unsafe directory.advanced(by: regions.pointee.count).initialize(to: segment)
      unsafe regions.pointee.append(region)
    }
  }

  /// Bytes of all segments.
  var byteCount: Int { unsafe regions.pointee.count * Self.segmentByteCount }

  /// Where a value lies that there is room for.
  @inlinable @inline(__always)
  func place(_ index: Int) -> UnsafeMutablePointer<Element> {
    let segment = unsafe directory[index &>> Self.segmentShift].unsafelyUnwrapped
    return unsafe segment + (index & (1 &<< Self.segmentShift &- 1))
  }
}

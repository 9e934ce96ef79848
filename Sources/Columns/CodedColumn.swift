// A column of small codes that only grows: each segment is as narrow as its codes allow.

import Synchronization

/// Codes of consecutive rows where they lie, in the width that their segment has now.
@safe @usableFromInline package enum CodeLanes {
  case bytes(UnsafePointer<UInt8>)
  case shorts(UnsafePointer<UInt16>)
  case words(UnsafePointer<UInt32>)
}

/// Codes by row number, 1, 2 or 4 bytes each. One writer appends (under the books' creation lock); readers
/// read any row whose existence they learned through a lock or a cut, without locking.
///
/// A segment of 65,536 rows begins as narrow as its first code allows. A code that is too wide for it makes
/// the writer copy the segment into a wider one and publish that; the narrow one is kept until the column
/// goes, because a reader may be in it. Address and width are one word, so that no reader sees one without
/// the other.
///
/// Reading a code: one load of the segment's word, one of the code, one branch on the width.
@safe @usableFromInline package final class CodedColumn: Sendable {
  @inlinable static var segmentShift: Int { 16 }
  @inlinable static var segmentRows: Int { 1 << segmentShift }
  private static var directoryCount: Int { (Layout.rowLimit >> segmentShift) + 1 }
  /// log2 of the bytes of a code lies in the lowest bits of a segment's word: memory is aligned to 64 bytes.
  @inlinable static var widthMask: UInt { 3 }

  /// By segment: its address, and in the lowest two bits log2 of its width; not initialised until the
  /// segment is made.
  @usableFromInline nonisolated(unsafe) let directory: UnsafeMutablePointer<Atomic<UInt>>
  private nonisolated(unsafe) let writer: UnsafeMutablePointer<WriterSide>
  private let reserved = Atomic<Int>(0)

  private struct WriterSide {
    var segmentCount = 0
    /// Segments that were replaced by wider ones.
    var replaced: [UInt] = []
  }

  package init() {
    unsafe directory = .allocate(capacity: Self.directoryCount)
    unsafe writer = .allocate(capacity: 1)
    unsafe writer.initialize(to: WriterSide())
  }

  deinit {
    for place in unsafe 0..<writer.pointee.segmentCount {
      Self.free(unsafe directory[place].load(ordering: .relaxed))
    }
    for word in unsafe writer.pointee.replaced { Self.free(word) }
    unsafe writer.deinitialize(count: 1)
    unsafe writer.deallocate()
    unsafe directory.deallocate()
  }

  /// Bytes of all segments, replaced ones included. Any thread.
  package var byteCount: Int { reserved.load(ordering: .relaxed) }

  // MARK: Reading

  /// The code of a row that is published, or that the writer has appended. O(1).
  @inlinable package subscript(row: RowIndex) -> UInt32 {
    @inline(__always) get {
      let word = unsafe directory[Int(row.rawValue >> UInt32(Self.segmentShift))].load(ordering: .acquiring)
      let place = Int(row.rawValue & UInt32(Self.segmentRows - 1))
      let base = unsafe Self.address(word)
      switch word & Self.widthMask {
      case 0: return unsafe UInt32(base.load(fromByteOffset: place, as: UInt8.self))
      case 1: return unsafe UInt32(base.load(fromByteOffset: place &* 2, as: UInt16.self))
      default: return unsafe base.load(fromByteOffset: place &* 4, as: UInt32.self)
      }
    }
  }

  /// Asks for the memory of a row that exists.
  @inlinable @inline(__always)
  package func prefetch(_ row: RowIndex) {
    let word = unsafe directory[Int(row.rawValue >> UInt32(Self.segmentShift))].load(ordering: .acquiring)
    let place = Int(row.rawValue & UInt32(Self.segmentRows - 1))
    unsafe Kernels.prefetch(Self.address(word) + (place << Int(word & Self.widthMask)))
  }

  /// The codes of `rowCount` rows from `first` on, which lie in one segment (every stripe does).
  /// - Warning: valid while the column lives; rows past the published count are not initialised.
  @inlinable package func lanes(from first: RowIndex, count rowCount: Int) -> CodeLanes {
    let place = first.index & (Self.segmentRows - 1)
    precondition(rowCount > 0 && place + rowCount <= Self.segmentRows, "rows of one segment")
    let word = unsafe directory[first.index >> Self.segmentShift].load(ordering: .acquiring)
    let base = unsafe Self.address(word)
    switch word & Self.widthMask {
    case 0: return unsafe .bytes(base.assumingMemoryBound(to: UInt8.self) + place)
    case 1: return unsafe .shorts(base.assumingMemoryBound(to: UInt16.self) + place)
    default: return unsafe .words(base.assumingMemoryBound(to: UInt32.self) + place)
    }
  }

  /// Copies the codes of rows of one segment, 32 bits each, from `first` on, as many as `target` has room
  /// for.
  package func copy(from first: RowIndex, into target: UnsafeMutableBufferPointer<UInt32>) {
    guard let start = target.baseAddress, target.count > 0 else { return }
    switch lanes(from: first, count: target.count) {
    case .bytes(let codes): for row in 0..<target.count { unsafe start[row] = UInt32(codes[row]) }
    case .shorts(let codes): for row in 0..<target.count { unsafe start[row] = UInt32(codes[row]) }
    case .words(let codes): unsafe start.update(from: codes, count: target.count)
    }
  }

  // MARK: Appending

  /// Appends the code of the row after the last. Writer only. O(1) amortised; at worst a segment is copied,
  /// twice in its life.
  @inlinable @inline(__always)
  package func append(_ code: UInt32, at row: RowIndex) {
    let place = row.index & (Self.segmentRows - 1)
    if place == 0 { openSegment(row.index >> Self.segmentShift, for: code) }
    let word = unsafe directory[row.index >> Self.segmentShift].load(ordering: .relaxed)
    if Self.width(of: code) > word & Self.widthMask { return appendWider(code, at: row) }
    Self.store(code, place, word)
  }

  /// Appends many codes, the first of them at `first`, the row after the last. Writer only. O(codes).
  package func append(contentsOf codes: UnsafeBufferPointer<UInt32>, at first: RowIndex) {
    var done = 0
    while done < codes.count {
      let row = RowIndex(first.index + done)
      let place = row.index & (Self.segmentRows - 1)
      let count = min(codes.count - done, Self.segmentRows - place)
      var greatest: UInt32 = 0
      for step in done..<done + count { unsafe greatest = max(greatest, codes[step]) }
      let word = reserve(row, for: greatest)
      unsafe Self.store(UnsafeBufferPointer(rebasing: codes[done..<done + count]), place, word)
      done += count
    }
  }

  /// Appends one code many times, the first at `first`, the row after the last. Writer only. O(count).
  package func append(repeating code: UInt32, count: Int, at first: RowIndex) {
    var done = 0
    while done < count {
      let row = RowIndex(first.index + done)
      let place = row.index & (Self.segmentRows - 1)
      let part = min(count - done, Self.segmentRows - place)
      let word = reserve(row, for: code)
      for step in place..<place + part { Self.store(code, step, word) }
      done += part
    }
  }

  /// The word of the row's segment, made or made wider if need be.
  private func reserve(_ row: RowIndex, for code: UInt32) -> UInt {
    let segment = row.index >> Self.segmentShift
    if row.index & (Self.segmentRows - 1) == 0 { openSegment(segment, for: code) }
    let word = unsafe directory[segment].load(ordering: .relaxed)
    return Self.width(of: code) > word & Self.widthMask ? widen(row, for: code) : word
  }

  @usableFromInline func openSegment(_ segment: Int, for code: UInt32) {
    unsafe precondition(segment == writer.pointee.segmentCount, "rows are appended in order")
    unsafe writer.pointee.segmentCount += 1
    unsafe (directory + segment).initialize(to: Atomic(makeSegment(width: Self.width(of: code))))
  }

  @usableFromInline func appendWider(_ code: UInt32, at row: RowIndex) {
    Self.store(code, row.index & (Self.segmentRows - 1), widen(row, for: code))
  }

  /// Replaces the segment of the row to come by one that is wide enough, and returns its word. Rows before
  /// the row are copied; the others do not exist yet.
  private func widen(_ row: RowIndex, for code: UInt32) -> UInt {
    let segment = row.index >> Self.segmentShift
    let rowCount = row.index & (Self.segmentRows - 1)
    let old = unsafe directory[segment].load(ordering: .relaxed)
    let word = makeSegment(width: Self.width(of: code))
    if rowCount > 0 {
      unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: rowCount) { codes in
        unsafe copy(from: RowIndex(segment << Self.segmentShift), into: codes)
        unsafe Self.store(UnsafeBufferPointer(codes), 0, word)
      }
    }
    unsafe writer.pointee.replaced.append(old)
    unsafe directory[segment].store(word, ordering: .releasing)
    return word
  }

  // MARK: Words and widths

  @inlinable @inline(__always)
  static func address(_ word: UInt) -> UnsafeRawPointer {
    unsafe UnsafeRawPointer(bitPattern: word & ~widthMask).unsafelyUnwrapped
  }

  /// log2 of the bytes that a code needs.
  @inlinable @inline(__always)
  static func width(of code: UInt32) -> UInt { code <= 0xFF ? 0 : code <= 0xFFFF ? 1 : 2 }

  @inlinable @inline(__always)
  static func store(_ code: UInt32, _ place: Int, _ word: UInt) {
    let base = unsafe UnsafeMutableRawPointer(mutating: address(word))
    switch word & widthMask {
    case 0:
      unsafe base.storeBytes(of: UInt8(truncatingIfNeeded: code), toByteOffset: place, as: UInt8.self)
    case 1:
      unsafe base.storeBytes(of: UInt16(truncatingIfNeeded: code), toByteOffset: place &* 2, as: UInt16.self)
    default: unsafe base.storeBytes(of: code, toByteOffset: place &* 4, as: UInt32.self)
    }
  }

  /// Stores many codes, whose width fits the segment.
  private static func store(_ codes: UnsafeBufferPointer<UInt32>, _ place: Int, _ word: UInt) {
    let base = unsafe UnsafeMutableRawPointer(mutating: address(word))
    switch word & widthMask {
    case 0:
      let lane = unsafe base.assumingMemoryBound(to: UInt8.self) + place
      for row in 0..<codes.count { unsafe lane[row] = UInt8(truncatingIfNeeded: codes[row]) }
    case 1:
      let lane = unsafe base.assumingMemoryBound(to: UInt16.self) + place
      for row in 0..<codes.count { unsafe lane[row] = UInt16(truncatingIfNeeded: codes[row]) }
    default:
      let lane = unsafe base.assumingMemoryBound(to: UInt32.self) + place
      unsafe lane.update(from: codes.baseAddress.unsafelyUnwrapped, count: codes.count)
    }
  }

  private func makeSegment(width: UInt) -> UInt {
    let byteCount = Self.segmentRows << Int(width)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
    reserved.add(byteCount, ordering: .relaxed)
    return UInt(bitPattern: memory) | width
  }

  private static func free(_ word: UInt) {
    unsafe UnsafeMutableRawPointer(bitPattern: word & ~widthMask)?.deallocate()
  }
}

// A window that moves over a segment: whole blocks, read in large pieces, past the page cache where possible.

import Platform

/// The bytes of a segment, as many at a time as are asked for.
///
/// Memory: 4 MiB, or what is asked for at once and half as much again.
@safe final class SegmentWindow {
  private let pieceByteCount: Int
  private var file: OpenFile?
  /// Bytes of the file; those after the last whole block are left out.
  let byteCount: Int
  private var memory: PageMemory
  /// What of the file lies at the start of the memory.
  private var held = 0..<0

  init(
    _ file: consuming OpenFile, byteCount: Int, pieceByteCount: Int = 4 << 20
  ) throws(SystemError) {
    self.pieceByteCount = pieceByteCount
    self.file = consume file
    self.byteCount = byteCount & ~(SegmentFormat.blockByteCount - 1)
    memory = try PageMemory(
      byteCount: min(pieceByteCount, max(self.byteCount, SegmentFormat.blockByteCount)))
  }

  /// The `count` bytes from `offset` on; both are whole blocks. Valid until the next call; may be written to.
  /// - Returns: nil when the file ends before. A file that has lost its end since it was opened is an error.
  func bytes(at offset: Int, count: Int) throws(SystemError) -> UnsafeMutableRawBufferPointer? {
    guard offset >= 0, count >= 0, count <= byteCount, offset <= byteCount - count else { return nil }
    if offset < held.lowerBound || offset + count > held.upperBound {
      try read(offset, atLeast: count)
    }
    let start = offset - held.lowerBound
    return unsafe UnsafeMutableRawBufferPointer(rebasing: memory.bytes[start..<start + count])
  }

  private func read(_ offset: Int, atLeast count: Int) throws(SystemError) {
    let wanted = min(max(count, pieceByteCount), byteCount - offset)
    // What is held already moves to the front.
    let kept = held.contains(offset) ? held.upperBound - offset : 0
    if wanted > memory.byteCount {
      let larger = try PageMemory(byteCount: min(wanted + wanted / 2, byteCount))
      unsafe larger.base.copyMemory(
        from: memory.base + (offset - held.lowerBound) * (kept > 0 ? 1 : 0), byteCount: kept)
      memory = larger
    } else if kept > 0 {
      unsafe memory.base.copyMemory(from: memory.base + (offset - held.lowerBound), byteCount: kept)
    }
    held = offset..<offset
    let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: memory.bytes[kept..<wanted])
    let done = unsafe try readFile(at: offset + kept, into: rest)
    if done < rest.count {
      throw SystemError(code: 5, call: "pread", doing: "read all of", path: file?.path)
    }
    held = offset..<offset + wanted
  }

  private func readFile(at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int
  {
    guard let count = unsafe try file?.read(at: offset, into: bytes) else {
      preconditionFailure("a window is read while it has its file")
    }
    return count
  }

  /// The `count` bytes from `offset` on, copied.
  /// - Throws: EIO when the file ends before.
  func array(at offset: Int, count: Int) throws(SystemError) -> [UInt8] {
    guard let bytes = try unsafe bytes(at: offset, count: count) else {
      throw SystemError(code: 5, call: "pread", doing: "read all of", path: file?.path)
    }
    return unsafe [UInt8](bytes)
  }

  /// Whether everything from `offset` on is zero. O(bytes).
  func isZero(from offset: Int) throws(SystemError) -> Bool {
    var place = offset
    while place < byteCount {
      let count = min(pieceByteCount, byteCount - place)
      guard let bytes = unsafe try bytes(at: place, count: count) else { return false }
      if unsafe !Self.isZero(UnsafeRawBufferPointer(bytes)) { return false }
      place += count
    }
    return true
  }

  /// Whether all `bytes` are zero: the first is, and each is what the one before it is.
  static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let first = unsafe bytes.first else { return true }
    return unsafe first == 0
      && bytesAreEqual(
        UnsafeRawBufferPointer(rebasing: bytes.dropFirst()),
        UnsafeRawBufferPointer(rebasing: bytes.dropLast()))
  }

  static func isZero(_ bytes: [UInt8]) -> Bool { unsafe bytes.withUnsafeBytes { unsafe isZero($0) } }

  /// Ends the window and gives the file away.
  func takeFile() -> OpenFile {
    guard let file = file.take() else { preconditionFailure("a file is taken once") }
    return file
  }
}

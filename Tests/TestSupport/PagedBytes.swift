// The bytes of one simulated file in pages that copies share until one of them writes.

import Platform

/// A file's bytes. Copying costs nothing; the first write to a page after that copies the page. A page that
/// was never written is a hole and reads as zeros.
struct PagedBytes: Sendable {
  static let pageByteCount = 4096
  static let zeroPage = [UInt8](repeating: 0, count: pageByteCount)

  private var pages: [[UInt8]?] = []
  private(set) var byteCount = 0
  /// Pages that take room on the disk.
  private(set) var pageCount = 0

  /// Pages that a write of `count` bytes at `offset` would have to find room for.
  func missingPageCount(at offset: Int, count: Int) -> Int {
    if count == 0 { return 0 }
    let range = offset / Self.pageByteCount...(offset + count - 1) / Self.pageByteCount
    return range.reduce(0) { $0 + ($1 < pages.count && pages[$1] != nil ? 0 : 1) }
  }

  /// Writes at `offset`; the file grows when `extending`, else what lies beyond its end is left out.
  mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: Int, extending: Bool = true) {
    var end = offset + bytes.count
    if end > byteCount {
      if extending { setByteCount(end) } else { end = byteCount }
    }
    var place = offset
    while place < end {
      let page = place / Self.pageByteCount
      let inside = place % Self.pageByteCount
      let count = min(Self.pageByteCount - inside, end - place)
      let source = unsafe UnsafeRawBufferPointer(rebasing: bytes[(place - offset)...].prefix(count))
      allocate(page)
      unsafe pages[page]?.withUnsafeMutableBytes { target in
        unsafe UnsafeMutableRawBufferPointer(rebasing: target[inside...]).copyMemory(from: source)
      }
      place += count
    }
  }

  mutating func write(_ bytes: [UInt8], at offset: Int, extending: Bool = true) {
    unsafe bytes.withUnsafeBytes { unsafe write($0, at: offset, extending: extending) }
  }

  /// Reads as much as there is from `offset` on.
  func read(at offset: Int, into bytes: UnsafeMutableRawBufferPointer) -> Int {
    let end = min(byteCount, offset + bytes.count)
    var place = offset
    while place < end {
      let inside = place % Self.pageByteCount
      let count = min(Self.pageByteCount - inside, end - place)
      let target = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[(place - offset)...].prefix(count))
      let page = pages[place / Self.pageByteCount] ?? Self.zeroPage
      unsafe page.withUnsafeBytes { source in
        unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[inside..<(inside + count)]))
      }
      place += count
    }
    return max(0, end - offset)
  }

  /// Cuts the bytes, or lengthens them by a hole.
  mutating func setByteCount(_ count: Int) {
    let needed = (count + Self.pageByteCount - 1) / Self.pageByteCount
    if count < byteCount {
      for page in pages[needed...] where page != nil { pageCount -= 1 }
      pages.removeLast(pages.count - needed)
      let inside = count % Self.pageByteCount
      // What is cut off must not come back when the file grows again.
      if inside > 0, pages[needed - 1] != nil {
        pages[needed - 1]?.replaceSubrange(
          inside..., with: repeatElement(0, count: Self.pageByteCount - inside))
      }
    } else if needed > pages.count {
      pages.append(contentsOf: repeatElement(nil, count: needed - pages.count))
    }
    byteCount = count
  }

  /// Gives each page of the first `count` bytes a place on the disk.
  mutating func reserve(_ count: Int) {
    if count > byteCount { setByteCount(count) }
    for page in 0..<((count + Self.pageByteCount - 1) / Self.pageByteCount) { allocate(page) }
  }

  /// Equal for equal bytes.
  var fingerprint: UInt64 {
    pages.reduce(UInt64(byteCount)) { sum, page in
      // A hole reads as a page of zeros does.
      page.map { Checksum.xxh3($0, seed: sum) } ?? Checksum.xxh3(Self.zeroPage, seed: sum)
    }
  }

  /// All bytes.
  var bytes: [UInt8] {
    var all = [UInt8](repeating: 0, count: byteCount)
    _ = unsafe all.withUnsafeMutableBytes { unsafe read(at: 0, into: $0) }
    return all
  }

  private mutating func allocate(_ page: Int) {
    if pages[page] != nil { return }
    pages[page] = Self.zeroPage
    pageCount += 1
  }
}

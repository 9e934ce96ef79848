// What a durable write costs without a ledger: one block past the page cache, and its sync.

import Platform

/// A file of zeros, written block after block as a journal does, each block synced.
struct BareSync {
  private static let block = OpenFile.directAlignment

  /// The times of `count` writes of a block, each with its fdatasync.
  static func measure(_ count: Int, in directory: DataDirectory) throws -> Timings {
    let name = "bare"
    let file = try directory.open(name, .createNew, direct: true)
    defer { try? directory.removeFile(name) }
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: block * 256, alignment: block)
    defer { unsafe bytes.deallocate() }
    unsafe _ = bytes.initializeMemory(as: UInt8.self, repeating: 0)
    var offset = 0
    while offset < count * block {
      unsafe try file.write(UnsafeRawBufferPointer(bytes), at: offset)
      offset += bytes.count
    }
    try file.syncAll()
    unsafe _ = bytes.initializeMemory(as: UInt8.self, repeating: 1)
    var timings = Timings()
    for number in 0..<count {
      try timings.time {
        unsafe try file.write(UnsafeRawBufferPointer(rebasing: bytes[..<block]), at: number * block)
        try file.sync()
      }
    }
    return timings
  }
}

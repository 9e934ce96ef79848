// zstd blocks: compressing into a given buffer, decompressing to exactly the size that is expected.

import CZstd

/// Why a block cannot be compressed or decompressed.
package enum CompressionError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The destination is smaller than `Compression.bound(for:)` or than the expected size.
  case destinationTooSmall(byteCount: Int, needed: Int)
  /// The block says it holds another number of bytes than expected; nil when it does not say.
  case unexpectedSize(expected: Int, claimed: UInt64?)
  /// The input goes on after the block's end.
  case trailingBytes(count: Int)
  /// zstd finds the block damaged; its own words.
  case damaged(String)

  package var description: String {
    switch self {
    case .destinationTooSmall(let count, let needed):
      "the destination has room for \(count) bytes; \(needed) are needed"
    case .unexpectedSize(let expected, let claimed?):
      "the zstd block claims \(claimed) bytes; \(expected) are expected"
    case .unexpectedSize(let expected, nil):
      "the zstd block does not say how many bytes it holds; \(expected) are expected"
    case .trailingBytes(let count): "the zstd block is followed by \(count) bytes that are not part of it"
    case .damaged(let words): "the zstd block is damaged: \(words)"
    }
  }
}

/// Facts about zstd.
package enum Compression {
  /// The level for snapshots: 1.6 GB/s on columns, halving them.
  package static let defaultLevel: Int32 = -1

  /// The most bytes that compressing `byteCount` bytes can give.
  package static func bound(for byteCount: Int) -> Int { ZSTD_compressBound(byteCount) }

  /// zstd's version as one number: 1.5.4 is 10504.
  package static var libraryVersion: Int { Int(ZSTD_versionNumber()) }

  fileprivate static func words(_ code: Int) -> String {
    guard let name = unsafe ZSTD_getErrorName(code) else { return "no words for it" }
    return unsafe String(cString: name)
  }
}

/// A zstd compression context, worth keeping: making one costs as much as compressing a small block.
/// One thread at a time.
@safe
package struct Compressor: ~Copyable, @unchecked Sendable {
  // @unchecked: the context has one owner, and every use of it is exclusive.
  private let context: OpaquePointer
  private let level: Int32

  package init(level: Int32 = Compression.defaultLevel) {
    guard let context = unsafe ZSTD_createCCtx() else { preconditionFailure("no memory for zstd") }
    unsafe self.context = unsafe context
    self.level = level
  }

  deinit { unsafe ZSTD_freeCCtx(context) }

  /// Compresses `source` into `destination`, which has room for `Compression.bound(for: source.count)` bytes.
  /// - Returns: how many bytes of `destination` are used.
  package mutating func compress(
    _ source: UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer
  ) throws(CompressionError) -> Int {
    let needed = Compression.bound(for: source.count)
    guard destination.count >= needed else {
      throw .destinationTooSmall(byteCount: destination.count, needed: needed)
    }
    let count = unsafe ZSTD_compressCCtx(
      context, destination.baseAddress, destination.count, source.baseAddress, source.count, level)
    precondition(ZSTD_isError(count) == 0, "zstd compresses whatever fits its bound")
    return count
  }

  /// The compressed block of `source`.
  package mutating func compress(_ source: Span<UInt8>) -> [UInt8] {
    let bound = Compression.bound(for: source.count)
    return unsafe [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
      let room = UnsafeMutableRawBufferPointer(buffer)
      count = unsafe source.withUnsafeBytes { bytes in
        guard let used = unsafe try? compress(bytes, into: room) else {
          preconditionFailure("the destination has the size of the bound")
        }
        return used
      }
    }
  }
}

/// A zstd decompression context. One thread at a time.
@safe
package struct Decompressor: ~Copyable, @unchecked Sendable {
  // @unchecked: the context has one owner, and every use of it is exclusive.
  private let context: OpaquePointer

  package init() {
    guard let context = unsafe ZSTD_createDCtx() else { preconditionFailure("no memory for zstd") }
    unsafe self.context = unsafe context
  }

  deinit { unsafe ZSTD_freeDCtx(context) }

  /// Decompresses one block into the first `expectedByteCount` bytes of `destination`.
  ///
  /// Memory is only what the caller gave, whatever the block claims.
  /// - Throws: when the block is damaged, holds another number of bytes, or is followed by more.
  package mutating func decompress(
    _ source: UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer,
    expectedByteCount: Int
  ) throws(CompressionError) {
    guard destination.count >= expectedByteCount else {
      throw .destinationTooSmall(byteCount: destination.count, needed: expectedByteCount)
    }
    let claimed = unsafe ZSTD_getFrameContentSize(source.baseAddress, source.count)
    // zstd's two special answers: the largest number for "not said", the one below for "no zstd block".
    if claimed == .max { throw .unexpectedSize(expected: expectedByteCount, claimed: nil) }
    if claimed == .max - 1 { throw .damaged("it does not start as a zstd block") }
    guard claimed == UInt64(expectedByteCount) else {
      throw .unexpectedSize(expected: expectedByteCount, claimed: claimed)
    }
    let blockCount = unsafe ZSTD_findFrameCompressedSize(source.baseAddress, source.count)
    if ZSTD_isError(blockCount) != 0 { throw .damaged(Compression.words(blockCount)) }
    if blockCount < source.count { throw .trailingBytes(count: source.count - blockCount) }
    let count = unsafe ZSTD_decompressDCtx(
      context, destination.baseAddress, expectedByteCount, source.baseAddress, source.count)
    if ZSTD_isError(count) != 0 { throw .damaged(Compression.words(count)) }
    guard count == expectedByteCount else {
      throw .unexpectedSize(expected: expectedByteCount, claimed: UInt64(count))
    }
  }

  /// The `expectedByteCount` bytes that the block `source` holds.
  package mutating func decompress(
    _ source: Span<UInt8>, expectedByteCount: Int
  ) throws(CompressionError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: expectedByteCount)
    var span = bytes.mutableSpan
    unsafe try span.withUnsafeMutableBytes { destination throws(CompressionError) in
      unsafe try source.withUnsafeBytes { block throws(CompressionError) in
        unsafe try decompress(block, into: destination, expectedByteCount: expectedByteCount)
      }
    }
    return bytes
  }
}

// zstd blocks: back and forth, and every kind of wrong block refused by name.

import CZstd
import Platform
import TestSupport
import Testing

@Test func theZstdThatRunsIsTheOneWhoseHeaderWasRead() {
  let header = Int(ZSTD_VERSION_MAJOR * 10_000 + ZSTD_VERSION_MINOR * 100 + ZSTD_VERSION_RELEASE)
  #expect(Compression.libraryVersion == header)
  #expect(Compression.libraryVersion >= 10_500)
}

@Test(arguments: [0, 1, 100, 4_096, 400_000])
func blocksComeBackUnchanged(count: Int) throws {
  var compressor = Compressor()
  var decompressor = Decompressor()
  let patterned = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 7) }
  for bytes in [patterned, KernelRandom.bytes(count: count)] {
    let block = compressor.compress(bytes.span)
    #expect(block.count <= Compression.bound(for: count))
    #expect(try decompressor.decompress(block.span, expectedByteCount: count) == bytes)
  }
  if count >= 4_096 { #expect(compressor.compress(patterned.span).count < count / 4) }
}

/// A block as any zstd makes it: the reference encoder at level 19 over the same bytes.
@Test func blocksOfOtherLevelsAreRead() throws {
  let bytes = Array("a ledger is a named set of balances; ".utf8)
  var strong = Compressor(level: 19)
  let block = strong.compress(bytes.span)
  // RFC 8878, 3.1.1: the magic number, little-endian.
  #expect(Array(block[..<4]) == [0x28, 0xB5, 0x2F, 0xFD])
  var decompressor = Decompressor()
  #expect(try decompressor.decompress(block.span, expectedByteCount: bytes.count) == bytes)
}

@Test func aBlockOfAnotherSizeIsRefusedBeforeAnythingIsWritten() {
  var compressor = Compressor()
  var decompressor = Decompressor()
  let block = compressor.compress([UInt8](repeating: 3, count: 1_000).span)
  #expect(throws: CompressionError.unexpectedSize(expected: 999, claimed: 1_000)) {
    _ = try decompressor.decompress(block.span, expectedByteCount: 999)
  }
  #expect(throws: CompressionError.unexpectedSize(expected: 1_001, claimed: 1_000)) {
    _ = try decompressor.decompress(block.span, expectedByteCount: 1_001)
  }
}

/// A header that claims 2^62 bytes costs nothing but the refusal.
@Test func anEnormousClaimIsRefusedWithoutMemory() {
  var decompressor = Decompressor()
  let claim: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0xE0, 0, 0, 0, 0, 0, 0, 0, 0x40]
  #expect(throws: CompressionError.unexpectedSize(expected: 10, claimed: 1 << 62)) {
    _ = try decompressor.decompress(claim.span, expectedByteCount: 10)
  }
}

@Test func aBlockThatDoesNotSayItsSizeIsRefused() {
  var decompressor = Decompressor()
  // No content size, window of 1 KiB, one raw block of one byte.
  let block: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x00, 0x09, 0x00, 0x00, 0x41]
  #expect(throws: CompressionError.unexpectedSize(expected: 1, claimed: nil)) {
    _ = try decompressor.decompress(block.span, expectedByteCount: 1)
  }
}

@Test func whatIsNoBlockIsRefused() {
  var decompressor = Decompressor()
  for bytes in [[], [1, 2, 3], [UInt8](repeating: 0xAB, count: 100)] as [[UInt8]] {
    #expect(throws: CompressionError.damaged("it does not start as a zstd block")) {
      _ = try decompressor.decompress(bytes.span, expectedByteCount: 5)
    }
  }
}

@Test func bytesAfterTheBlockAreRefused() {
  var compressor = Compressor()
  var decompressor = Decompressor()
  let block = compressor.compress([1, 2, 3].span)
  #expect(throws: CompressionError.trailingBytes(count: block.count)) {
    _ = try decompressor.decompress((block + block).span, expectedByteCount: 3)
  }
}

@Test func aBlockCutAnywhereIsRefused() {
  var compressor = Compressor()
  var decompressor = Decompressor()
  let block = compressor.compress(Array("to be cut at every byte, to be cut at every byte".utf8).span)
  for count in 0..<block.count {
    #expect(throws: CompressionError.self, "\(count) of \(block.count) bytes") {
      _ = try decompressor.decompress(block.span.extracting(0..<count), expectedByteCount: 48)
    }
  }
}

/// Whatever is flipped, the answer is an error or bytes of the expected number, never a crash.
@Test(arguments: Seed.sample(8))
func damagedBlocksNeverEscapeTheirMemory(seed: Seed) {
  var generator = seed.generator
  var compressor = Compressor()
  var decompressor = Decompressor()
  let bytes = (0..<2_000).map { _ in UInt8.random(in: 0...20, using: &generator) }
  let block = compressor.compress(bytes.span)
  for _ in 0..<500 {
    var damaged = block
    for _ in 0..<Int.random(in: 1...3, using: &generator) {
      let index = Int.random(in: 0..<damaged.count, using: &generator)
      damaged[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
    }
    let found = try? decompressor.decompress(damaged.span, expectedByteCount: 2_000)
    #expect(found == nil || found?.count == 2_000, "\(seed)")
  }
}

@Test func theDestinationMustHaveRoom() throws {
  var compressor = Compressor()
  let memory = try PageMemory(byteCount: 4_096)
  let bound = Compression.bound(for: 4_096)
  #expect(throws: CompressionError.destinationTooSmall(byteCount: 4_096, needed: bound)) {
    let source = unsafe UnsafeRawBufferPointer(memory.bytes)
    _ = unsafe try compressor.compress(source, into: memory.bytes)
  }
}

@Test(arguments: [
  (
    CompressionError.destinationTooSmall(byteCount: 3, needed: 9),
    "the destination has room for 3 bytes; 9 are needed"
  ),
  (.unexpectedSize(expected: 3, claimed: 9), "the zstd block claims 9 bytes; 3 are expected"),
  (
    .unexpectedSize(expected: 3, claimed: nil),
    "the zstd block does not say how many bytes it holds; 3 are expected"
  ),
  (.trailingBytes(count: 9), "the zstd block is followed by 9 bytes that are not part of it"),
  (.damaged("Src size is incorrect"), "the zstd block is damaged: Src size is incorrect"),
])
func theTextOfACompressionErrorSaysWhatWasFound(error: CompressionError, text: String) {
  #expect(error.description == text)
}

// The checksum is XXH3 of the library that is linked, by its documented vectors.

import CXXHash
import Platform
import Testing

@Test func theLibraryIsTheOneWhoseHeaderWasRead() {
  #expect(
    Checksum.libraryVersion == Int(XXH_VERSION_MAJOR * 10_000 + XXH_VERSION_MINOR * 100 + XXH_VERSION_RELEASE)
  )
  #expect(Checksum.libraryVersion >= 800)
}

/// Published values of XXH3 with 64 bits and seed 0.
@Test func knownVectors() {
  #expect(Checksum.xxh3([]) == 0x2D06_8005_38D3_94C2)
  #expect(Checksum.xxh3(Array("a".utf8)) == 0xE6C6_32B6_1E96_4E1F)
  #expect(Checksum.xxh3(Array("abc".utf8)) == 0x78AF_5F94_892F_3950)
}

/// The dispatched code (AVX2, AVX-512) agrees with the library's plain code over all its size classes.
@Test func theDispatchedCodeAgreesWithThePlainOne() {
  let bytes = KernelRandom.bytes(count: 5_000)
  for count in Array(0...300) + [511, 512, 513, 1_024, 1_025, 4_096, 5_000] {
    for seed: UInt64 in [0, 1, .max, 0x9E37_79B9_7F4A_7C15] {
      let plain = unsafe bytes.withUnsafeBytes { unsafe XXH3_64bits_withSeed($0.baseAddress, count, seed) }
      let slice = bytes.span.extracting(0..<count)
      #expect(Checksum.xxh3(slice, seed: seed) == plain, "\(count) bytes, seed \(seed)")
      #expect(Checksum.xxh3(Array(bytes[..<count]), seed: seed) == plain)
      #expect(unsafe Checksum.xxh3(slice.bytes, seed: seed) == plain)
    }
  }
}

@Test func everyBitCounts() {
  var bytes = KernelRandom.bytes(count: 200)
  let whole = Checksum.xxh3(bytes, seed: 7)
  for bit in 0..<1_600 {
    bytes[bit / 8] ^= 1 << (bit % 8)
    #expect(Checksum.xxh3(bytes, seed: 7) != whole, "bit \(bit)")
    bytes[bit / 8] ^= 1 << (bit % 8)
  }
  #expect(Checksum.xxh3(bytes, seed: 7) == whole)
  #expect(Checksum.xxh3(bytes, seed: 8) != whole)
}

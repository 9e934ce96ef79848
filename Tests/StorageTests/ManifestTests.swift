// The manifest: two copies, the newest good one wins, every damage is named.

import Platform
import TestSupport
import Testing

@testable import Storage

struct ManifestTests {
  private func manifest(_ sequence: UInt64) -> Manifest {
    Manifest(
      sequence: sequence, directory: DirectoryIdentifier(high: 1, low: 2),
      snapshots: [
        ManifestEntry(position: 7, snapshot: 8, sequence: 1, summaryChecksum: 9),
        ManifestEntry(position: 70, snapshot: .max, sequence: 2, summaryChecksum: 10),
      ])
  }

  @Test
  func theNewestOfTwoCopiesWins() throws {
    let temporary = try TemporaryDirectory()
    let directory = try DataDirectory(existing: temporary.path)
    #expect(try Manifest.read(in: directory).isMissing)
    try Manifest(sequence: 0, directory: DirectoryIdentifier(high: 1, low: 2), snapshots: []).create(
      in: directory)
    for sequence in UInt64(1)...5 {
      try manifest(sequence).write(in: directory)
      let reading = try Manifest.read(in: directory)
      #expect(reading.manifest == manifest(sequence))
      #expect(reading.faults.isEmpty)
    }
  }

  @Test
  func everyFlippedBitIsNamedAndTheOtherCopyWins() {
    let bytes = manifest(4).encoded() + manifest(3).encoded()
    for place in bytes.indices {
      for bit in 0..<8 where bit == 0 || place % Manifest.copyByteCount < 400 {
        var damaged = bytes
        damaged[place] ^= 1 << UInt8(bit)
        let reading = Manifest.reading(damaged, path: "MANIFEST")
        let isNewest = place < Manifest.copyByteCount
        #expect(reading.manifest == manifest(isNewest ? 3 : 4), "byte \(place), bit \(bit)")
        #expect(reading.faults.map(\.offset) == [isNewest ? 0 : Manifest.copyByteCount], "byte \(place)")
      }
    }
  }

  @Test
  func everyLengthIsNoticed() throws {
    let temporary = try TemporaryDirectory()
    let directory = try DataDirectory(existing: temporary.path)
    let bytes = manifest(4).encoded() + manifest(3).encoded()
    for count in [0, 1, 100, 4095, 4096, 4097, 8191, 8193, 9000] {
      let changed = Array((bytes + [UInt8](repeating: 0, count: 1000)).prefix(count))
      try directory.replaceFile(Manifest.fileName, with: changed)
      let reading = try Manifest.read(in: directory)
      #expect(reading.manifest == (count < 4096 ? nil : manifest(4)), "\(count) bytes")
      #expect(!reading.faults.isEmpty, "\(count) bytes")
      try manifest(5).write(in: directory)
      #expect(try Manifest.read(in: directory).manifest == manifest(5), "\(count) bytes")
    }
  }

  @Test
  func aCopyInThePlaceOfTheOtherIsRefused() throws {
    let temporary = try TemporaryDirectory()
    let directory = try DataDirectory(existing: temporary.path)
    try directory.replaceFile(Manifest.fileName, with: manifest(3).encoded() + manifest(4).encoded())
    let reading = try Manifest.read(in: directory)
    #expect(reading.manifest == nil)
    #expect(reading.faults.count == 2)
  }
}

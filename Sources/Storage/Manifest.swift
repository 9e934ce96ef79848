// The file MANIFEST: which snapshots count, in two checksummed copies that take turns.

import Platform

/// A snapshot that the manifest lists.
package struct ManifestEntry: Equatable, Sendable {
  package var position: UInt64
  package var snapshot: UInt64
  /// Number of the manifest that first listed it.
  package var sequence: UInt64
  /// Checksum of its SUMMARY.
  var summaryChecksum: UInt64
}

/// What counts in a data directory. Two copies, 4 KiB each: manifest `n` is written over copy `n` mod 2 and
/// synced, so a torn write spoils only the copy that did not count yet. A copy is a checked text, filled up
/// with zero bytes:
///
/// ```
/// ledgerline manifest 2
/// sequence <number>
/// directory <32 hexadecimal digits>
/// journal <number>                   the newest segment that has a head has at least this number; 0: none
/// cut <position>                     only while a recovery to a position is being carried out
/// snapshot <position> <16 hexadecimal digits> <sequence> <16 hexadecimal digits>     oldest first
/// checksum <16 hexadecimal digits>
/// ```
/// Version 1, of the time before there was a journal, has neither `journal` nor `cut`; it is read only.
package struct Manifest: Equatable, Sendable {
  package static let fileName = "MANIFEST"
  static let copyByteCount = 4096
  /// Snapshots that a manifest can list; a copy has room for more.
  static let entryLimit = 16

  package var sequence: UInt64
  package var directory: DirectoryIdentifier
  /// The newest segment with a head has at least this number; 0 when none was ever written.
  package var journal: UInt64
  /// Facts after this position are being left out for good (`--recover-to`); nil at all other times.
  package var cut: UInt64?
  /// Oldest first.
  package var snapshots: [ManifestEntry]

  func encoded() -> [UInt8] { encoded(version: 2) }

  private func encoded(version: Int) -> [UInt8] {
    precondition(snapshots.count <= Self.entryLimit, "the snapshots fit a copy of the manifest")
    var lines = ["ledgerline manifest \(version)", "sequence \(sequence)", "directory \(directory)"]
    if version > 1 {
      lines.append("journal \(journal)")
      if let cut { lines.append("cut \(cut)") }
    }
    for entry in snapshots {
      lines.append(
        "snapshot \(entry.position) \(hexadecimal(entry.snapshot)) \(entry.sequence) "
          + hexadecimal(entry.summaryChecksum))
    }
    let text = CheckedText.close(lines)
    return text + [UInt8](repeating: 0, count: Self.copyByteCount - text.count)
  }

  /// Reads one copy.
  init(_ copy: [UInt8]) throws(ContentFault) {
    let text = Array(copy.prefix { $0 != 0 })
    var reader = try CheckedTextReader(text)
    let heading = try reader.line("ledgerline", count: 2)
    guard heading == ["manifest", "1"] || heading == ["manifest", "2"] else {
      throw ContentFault("the copy is of \"\(heading.joined(separator: " "))\", expected \"manifest 2\"")
    }
    let version = heading[1] == "1" ? 1 : 2
    sequence = try reader.number("sequence")
    directory = try CheckedTextReader.identifier(reader.line("directory", count: 1)[0])
    journal = version > 1 ? try reader.number("journal") : 0
    cut = version > 1 && reader.nextWord == "cut" ? try reader.number("cut") : nil
    snapshots = []
    while reader.nextWord == "snapshot", snapshots.count < Self.entryLimit {
      let words = try reader.line("snapshot", count: 4)
      snapshots.append(
        ManifestEntry(
          position: try CheckedTextReader.number(words[0]),
          snapshot: try CheckedTextReader.hexadecimalWord(words[1]),
          sequence: try CheckedTextReader.number(words[2]),
          summaryChecksum: try CheckedTextReader.hexadecimalWord(words[3])))
    }
    guard reader.isAtEnd, encoded(version: version) == copy else {
      throw ContentFault("the copy is not in its one form")
    }
  }

  init(
    sequence: UInt64, directory: DirectoryIdentifier, journal: UInt64 = 0, cut: UInt64? = nil,
    snapshots: [ManifestEntry]
  ) {
    self.sequence = sequence
    self.directory = directory
    self.journal = journal
    self.cut = cut
    self.snapshots = snapshots
  }
}

/// What was found in the file MANIFEST.
struct ManifestReading: Equatable {
  /// The newest good copy; nil when there is none.
  var manifest: Manifest?
  /// Faults of the copies, in the order of the file.
  var faults: [StorageFault] = []
  /// There is no such file.
  var isMissing = false
}

extension Manifest {
  /// Reads the manifest of a directory. Both copies of a manifest that was written twice are good; the copy
  /// that was never written is all zeros, which is no fault.
  static func read(in directory: DataDirectory) throws(SystemError) -> ManifestReading {
    let path = directory.path(of: fileName)
    let bytes: [UInt8]
    do throws(SystemError) {
      guard let found = try directory.readFile(fileName, limit: 2 * copyByteCount) else {
        return ManifestReading(manifest: nil, isMissing: true)
      }
      bytes = found
    } catch {
      guard error.name == "EFBIG" else { throw error }
      let fault = StorageFault(
        path: path, offset: 2 * copyByteCount,
        finding: "the file goes on, expected \(2 * copyByteCount) bytes")
      return try readPrefix(of: directory, path: path, fault: fault)
    }
    return reading(bytes, path: path)
  }

  private static func readPrefix(
    of directory: DataDirectory, path: String, fault: StorageFault
  ) throws(SystemError) -> ManifestReading {
    let file = try directory.open(fileName, .read)
    var bytes = [UInt8](repeating: 0, count: 2 * copyByteCount)
    var span = bytes.mutableSpan
    let count = try file.read(at: 0, into: &span)
    bytes.removeLast(bytes.count - count)
    var reading = reading(bytes, path: path)
    reading.faults.append(fault)
    return reading
  }

  /// Reads the file's bytes.
  static func reading(_ bytes: [UInt8], path: String) -> ManifestReading {
    var reading = ManifestReading()
    for copy in 0..<2 {
      let start = copy * copyByteCount
      let content = Array(bytes.dropFirst(start).prefix(copyByteCount))
      guard content.count == copyByteCount else {
        reading.faults.append(
          StorageFault(
            path: path, offset: bytes.count,
            finding: "the file ends here, expected \(2 * copyByteCount) bytes"))
        break
      }
      // Only the second manifest ever written reaches the copy that was empty at first.
      if content.allSatisfy({ $0 == 0 }) {
        if copy == 0 || reading.manifest.map({ $0.sequence > 0 }) == true {
          reading.faults.append(StorageFault(path: path, offset: start, finding: "the copy is all zeros"))
        }
        continue
      }
      do throws(ContentFault) {
        let manifest = try Manifest(content)
        guard manifest.sequence % 2 == UInt64(copy) else {
          throw ContentFault("copy \(copy) holds manifest \(manifest.sequence), which belongs in the other")
        }
        if manifest.sequence >= reading.manifest?.sequence ?? 0 { reading.manifest = manifest }
      } catch {
        reading.faults.append(StorageFault(path: path, offset: start, finding: error.finding))
      }
    }
    return reading
  }

  /// Makes the file with manifest 0 in its first copy.
  func create(in directory: DataDirectory) throws(SystemError) {
    precondition(sequence == 0, "a manifest starts with number 0")
    try directory.replaceFile(
      Self.fileName, with: encoded() + [UInt8](repeating: 0, count: Self.copyByteCount))
  }

  /// Writes this manifest over its copy and syncs it.
  ///
  /// Only over a copy that does not count: when the other one is not good, or the file is not whole, the file
  /// is replaced, and what this manifest says stands in both copies, in the other under the number before.
  func write(in directory: DataDirectory) throws(SystemError) {
    let reading = try Self.read(in: directory)
    guard let newest = reading.manifest, reading.faults.isEmpty, newest.sequence % 2 != sequence % 2 else {
      precondition(sequence > 0, "the first manifest makes the file")
      var before = self
      before.sequence -= 1
      let bytes = sequence % 2 == 0 ? encoded() + before.encoded() : before.encoded() + encoded()
      try directory.replaceFile(Self.fileName, with: bytes)
      return
    }
    let file = try directory.open(Self.fileName, .readWrite)
    try file.write(encoded(), at: Int(sequence % 2) * Self.copyByteCount)
    try file.sync()
    try file.close()
  }
}

// The file SUMMARY of a snapshot: what the snapshot is and which files belong to it.

import Platform

/// What a table file holds; its checksum covers the heads of all its blocks, which cover the rest.
package struct TableSummary: Equatable, Sendable {
  package var table: SnapshotTable
  package var rowCount: Int
  package var blockCount: Int
  package var byteCount: Int
  var checksum: UInt64
}

/// The file SUMMARY, a checked text:
///
/// ```
/// ledgerline snapshot 1
/// directory <32 hexadecimal digits>
/// snapshot <16 hexadecimal digits>
/// sequence <number>                  of the manifest that first listed it
/// position <number>
/// created <microseconds>             wall time of the cut
/// instant <microseconds>             the latest time in the books
/// table <name> <rows> <blocks> <bytes> <16 hexadecimal digits>     for each SnapshotTable
/// checksum <16 hexadecimal digits>
/// ```
package struct SnapshotSummary: Equatable, Sendable {
  static let fileName = "SUMMARY"
  static let byteLimit = 64 << 10

  package var directory: DirectoryIdentifier
  package var snapshot: UInt64
  package var sequence: UInt64
  package var position: UInt64
  package var createdAt: Microseconds
  package var latestInstant: Microseconds
  package var tables: [TableSummary]

  /// Bytes of all table files.
  package var byteCount: Int { tables.reduce(0) { $0 + $1.byteCount } }

  package func rowCount(_ table: SnapshotTable) -> Int {
    tables.first { $0.table == table }?.rowCount ?? 0
  }

  func encoded() -> [UInt8] {
    var lines = [
      "ledgerline snapshot 1", "directory \(directory)", "snapshot \(hexadecimal(snapshot))",
      "sequence \(sequence)", "position \(position)", "created \(createdAt.count)",
      "instant \(latestInstant.count)",
    ]
    for table in tables {
      lines.append(
        "table \(table.table.name) \(table.rowCount) \(table.blockCount) \(table.byteCount) "
          + hexadecimal(table.checksum))
    }
    return CheckedText.close(lines)
  }

  init(_ bytes: [UInt8]) throws(ContentFault) {
    var reader = try CheckedTextReader(bytes)
    let heading = try reader.line("ledgerline", count: 2)
    guard heading == ["snapshot", "1"] else {
      throw ContentFault("the summary is of \"\(heading.joined(separator: " "))\", expected \"snapshot 1\"")
    }
    directory = try CheckedTextReader.identifier(reader.line("directory", count: 1)[0])
    snapshot = try CheckedTextReader.hexadecimalWord(reader.line("snapshot", count: 1)[0])
    sequence = try reader.number("sequence")
    position = try reader.number("position")
    createdAt = try Self.time(reader.line("created", count: 1)[0])
    latestInstant = try Self.time(reader.line("instant", count: 1)[0])
    tables = []
    for table in SnapshotTable.allCases {
      let words = try reader.line("table", count: 5)
      guard words[0] == table.name, let rowCount = Int(words[1]), let blockCount = Int(words[2]),
        let byteCount = Int(words[3]), rowCount >= 0, blockCount >= 0, byteCount >= 0
      else { throw ContentFault("the line of the table \(table.name) is not as expected") }
      tables.append(
        TableSummary(
          table: table, rowCount: rowCount, blockCount: blockCount, byteCount: byteCount,
          checksum: try CheckedTextReader.hexadecimalWord(words[4])))
    }
    guard reader.isAtEnd, encoded() == bytes else { throw ContentFault("the summary is not in its one form") }
  }

  init(
    directory: DirectoryIdentifier, snapshot: UInt64, sequence: UInt64, position: UInt64,
    createdAt: Microseconds, latestInstant: Microseconds, tables: [TableSummary]
  ) {
    self.directory = directory
    self.snapshot = snapshot
    self.sequence = sequence
    self.position = position
    self.createdAt = createdAt
    self.latestInstant = latestInstant
    self.tables = tables
  }

  private static func time(_ word: Substring) throws(ContentFault) -> Microseconds {
    guard let count = Int64(word) else { throw ContentFault("\"\(word)\" is not a time") }
    return Microseconds(count)
  }
}

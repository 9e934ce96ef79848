// Whatever is done to the files of a snapshot: the exact state, or the one before with a named fault.

import Ledger
import Platform
import TestSupport
import Testing

@testable import Storage

struct SnapshotDamageTests {
  private func summary(_ sample: SampleDirectory) throws -> SnapshotSummary {
    try SnapshotSummary(sample.bytes(SnapshotSummary.fileName))
  }

  @Test
  func everyFlippedBitOfATableIsNamed() throws {
    let sample = try SampleDirectory()
    let summary = try summary(sample)
    for table in SnapshotTable.allCases {
      let bytes = try sample.bytes(table.fileName)
      #expect(try sample.faults(table, summary).isEmpty)
      for place in bytes.indices {
        // All bits where the structure is; one of each byte in the rest of a long file.
        for bit in 0..<8 where place < 1500 || bit == place % 8 {
          try sample.put(bytes[place] ^ 1 << UInt8(bit), at: place, table.fileName)
          let faults = try sample.faults(table, summary)
          let isNamed = faults.count >= 1 && faults.allSatisfy { $0.path.hasSuffix(table.fileName) }
          #expect(isNamed, "\(table.fileName) byte \(place) bit \(bit): \(faults)")
          if let offset = faults.first?.offset { #expect(offset <= place, "\(table.fileName) byte \(place)") }
        }
        try sample.put(bytes[place], at: place, table.fileName)
      }
      try sample.put(bytes, table.fileName)
    }
    #expect(try sample.faults().isEmpty)
  }

  @Test
  func everyDamagedByteFallsBackLoudly() throws {
    let sample = try SampleDirectory(commands: 12)
    #expect(try sample.start().state == 1)
    for file in sample.files {
      let bytes = try sample.bytes(file)
      for place in bytes.indices where bytes.count < 300 || place % 5 == 0 || place < 64 {
        try sample.put(bytes[place] ^ 1 << UInt8(place % 8), at: place, file)
        let (state, report) = try sample.start()
        #expect(state == 0 && report.fellBack, "\(file) byte \(place): state \(String(describing: state))")
        #expect(report.faults.count == 1 && report.faults[0].path.hasSuffix(file), "\(file) byte \(place)")
        try sample.put(bytes[place], at: place, file)
      }
    }
    let (state, report) = try sample.start()
    #expect(state == 1 && report.faults.isEmpty)
  }

  @Test
  func everyLengthIsNamed() throws {
    let sample = try SampleDirectory(commands: 12)
    let summary = try summary(sample)
    for table in SnapshotTable.allCases {
      let bytes = try sample.bytes(table.fileName)
      for count in 0..<bytes.count {
        try sample.put(Array(bytes.prefix(count)), table.fileName)
        let faults = try sample.faults(table, summary)
        #expect(faults.count == 1 && faults[0].offset == count, "\(table.fileName) cut to \(count)")
      }
      try sample.put(bytes + [0], table.fileName)
      #expect(try sample.faults(table, summary).map(\.offset) == [bytes.count])
      try sample.put(bytes, table.fileName)
    }
    let text = try sample.bytes(SnapshotSummary.fileName)
    for count in 0..<text.count {
      try sample.put(Array(text.prefix(count)), SnapshotSummary.fileName)
      #expect(try sample.faults().first?.path.hasSuffix(SnapshotSummary.fileName) == true, "\(count)")
    }
  }

  @Test
  func blocksInEachOthersPlacesAreNamed() throws {
    let sample = try SampleDirectory()
    let summary = try summary(sample)
    for table in [SnapshotTable.balances, .transactions, .identities] {
      let bytes = try sample.bytes(table.fileName)
      let blocks = TableBytes(bytes).blocks
      for first in blocks.indices {
        for second in blocks.indices where second > first {
          var order = Array(blocks.indices)
          order.swapAt(first, second)
          let swapped = Array(bytes.prefix(64)) + order.flatMap { bytes[blocks[$0]] }
          try sample.put(swapped, table.fileName)
          #expect(try !sample.faults(table, summary).isEmpty, "\(table) blocks \(first) and \(second)")
        }
        // Also left out, and twice.
        let others = blocks.indices.filter { $0 != first }
        try sample.put(Array(bytes.prefix(64)) + others.flatMap { bytes[blocks[$0]] }, table.fileName)
        #expect(try !sample.faults(table, summary).isEmpty, "\(table) without block \(first)")
      }
      try sample.put(bytes, table.fileName)
    }
  }

  @Test
  func whatBelongsToAnotherSnapshotIsNamed() throws {
    let sample = try SampleDirectory()
    // The same state in another directory.
    let elsewhere = PathName.join(sample.temporary.path(of: "elsewhere"), sample.names[1])
    do {
      let books = try Recovery.open(sample.path, clock: sample.clock).books
      let opened = try Recovery.open(sample.temporary.path(of: "elsewhere"), clock: sample.clock)
      try opened.store.create(books.cut())
    }
    let other = try DataDirectory(existing: elsewhere)
    for file in sample.files {
      let bytes = try sample.bytes(file)
      // The same file of the snapshot before, and of another directory whose books are the same.
      for stranger in [try sample.bytes(file, of: 0), try other.readFile(file)] {
        try sample.put(try #require(stranger), file)
        let (state, report) = try sample.start()
        #expect(state == 0 && report.fellBack, "\(file)")
        #expect(report.faults.first?.path.contains(sample.names[1]) == true, "\(file)")
      }
      try sample.put(bytes, file)
    }
    // A single block of the other directory, at its own place.
    let bytes = try sample.bytes("balances.table")
    let strange = try #require(try other.readFile("balances.table"))
    #expect(strange.count == bytes.count)
    for block in TableBytes(bytes).blocks {
      var mixed = bytes
      mixed.replaceSubrange(block, with: strange[block])
      try sample.put(mixed, "balances.table")
      let (state, report) = try sample.start()
      #expect(state == 0 && report.faults.first?.offset == block.lowerBound)
    }
  }

  @Test
  func aMissingFileOrDirectoryIsNamed() throws {
    for file in ["SUMMARY", "keys.table", ""] {
      let sample = try SampleDirectory(commands: 10)
      if file.isEmpty {
        try sample.directory.removeDirectory(sample.names[1])
      } else {
        try sample.directory.removeFile(PathName.join(sample.names[1], file))
      }
      let (state, report) = try sample.start()
      #expect(state == 0 && report.fellBack && !report.faults.isEmpty, "\(file)")
      #expect(report.faults.first?.path.contains(sample.names[1]) == true)
    }
  }

  @Test
  func noGoodSnapshotIsARefusalThatNamesThemAll() throws {
    let sample = try SampleDirectory(commands: 10)
    for name in sample.names {
      let target = try OpenFile(PathName.join(PathName.join(sample.path, name), "balances.table"), .readWrite)
      try target.write([0], at: 3)
    }
    do {
      _ = try sample.start()
      Issue.record("the start must be refused")
    } catch let error as StorageError {
      guard case .noGoodSnapshot(_, let faults) = error else { throw error }
      #expect(faults.map(\.offset) == [3, 3])
      #expect(Set(faults.map(\.path)).count == 2)
    }
    let report = try Check.check(sample.path)
    #expect(report.faults.count >= 2 && report.loaded == nil)
  }

  @Test
  func theNextSnapshotTakesThePlaceOfADamagedOne() throws {
    let sample = try SampleDirectory(commands: 10)
    try sample.put([1, 2, 3], "balances.table")
    do {
      let opened = try Recovery.open(sample.path, clock: sample.clock)
      #expect(opened.report.fellBack)
      var more = SampleBooks(Seed(9), books: opened.books, clock: sample.clock)
      more.grow(40)
      try opened.store.create(opened.books.cut())
      #expect(opened.store.snapshots.count == 2)
    }
    let again = try Recovery.open(sample.path, clock: sample.clock)
    #expect(!again.report.fellBack && again.report.faults.isEmpty)
    // Nobody has lost the damaged files.
    #expect(again.report.notes.contains { $0.hasPrefix("damaged-\(sample.names[1])-") })
  }
}

/// Where the blocks of a table file lie.
struct TableBytes {
  var blocks: [Range<Int>] = []

  init(_ bytes: [UInt8]) {
    var place = TableFileHead.byteCount
    while place < bytes.count {
      let stored: UInt32 = bytes.littleEndian(at: place + 36)
      let end = place + BlockHead.byteCount + Int(stored)
      blocks.append(place..<end)
      place = end
    }
  }
}

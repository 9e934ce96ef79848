// Reads one member of the metadata, or one text of the records, chunk by chunk.

import Columns
import Ledger

/// What is shredded.
enum MemberSource: Hashable, Sendable {
  /// A member of the metadata, by its unescaped name.
  case metadata(QueryTable, [UInt8])
  /// A text of the records of ledgers or identities.
  case record(QueryTable, Int)
}

/// Gives the codes of chunks as one cut sees them. One thread's.
struct MemberReader {
  let reader: RowReader
  let source: MemberSource
  let values: DistinctValues
  let recent: RecentValues

  /// The block that the rows of a chunk are read from.
  func block(_ chunk: Int) -> Block? {
    switch reader.table {
    case .balances: reader.books.balances.cells.block(chunk, cut: reader.cut.epoch)
    case .transactions: reader.books.transactions.cells.block(chunk, cut: reader.cut.epoch)
    case .ledgers, .identities: reader.entities.cells.block(chunk, cut: reader.cut.epoch)
    }
  }

  /// Stores the codes of a chunk.
  /// - Returns: false when there are too many distinct values.
  func read(_ block: Block?, _ shard: Int, into codes: inout CodeLanesBuffer) -> Bool {
    unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Layout.chunkRows) { target in
      guard let lane = target.baseAddress else { return false }
      unsafe lane.initialize(repeating: 0, count: Layout.chunkRows)
      var largest: UInt32 = 0
      if let block {
        let handles = unsafe CellBlock(block).lane(
          reader.table == .balances ? BalanceTable.Cell.metadata : 0)
        var valueCount = 0
        for slot in 0..<Layout.chunkRows {
          let handle = unsafe handles[slot]
          if handle == 0 { continue }
          guard let code = code(of: handle) else { return false }
          unsafe lane[slot] = code
          largest = max(largest, code)
          valueCount += code == 0 ? 0 : 1
        }
        values.noteRows(valueCount)
      }
      unsafe codes.store(lane, shard: shard, largest: largest)
      return true
    }
  }

  /// The code of a record's member, 0 for null; nil when there are too many values.
  private func code(of handle: RecordHandle) -> UInt32? {
    let record = unsafe reader.books.records.bytes(handle)
    switch source {
    case .metadata(_, let key):
      let bytes =
        unsafe reader.mayBeDeleted
        ? EntityRecord.metadata(of: record, fieldCount: reader.entities.fieldCount) : record
      return code(ofMember: key, unsafe bytes.bindMemory(to: UInt8.self).span)
    case .record(_, let field):
      guard let bytes = unsafe EntityRecord.field(field, of: record) else { return 0 }
      let text = unsafe bytes.bindMemory(to: UInt8.self).span
      if let known = recent.code(text) { return known }
      guard let code = values.code(.text, text) else { return nil }
      recent.keep(code, text)
      return code
    }
  }

  private func code(ofMember key: [UInt8], _ object: Span<UInt8>) -> UInt32? {
    guard let place = MetadataScanner.value(of: key, in: object) else { return 0 }
    let json = object.extracting(place)
    if let known = recent.code(json) { return known }
    let member = MetadataMember(json: json)
    if member.kind == .null { return 0 }
    guard let code = member.withText({ values.code(member.kind, $0) }) else { return nil }
    recent.keep(code, json)
    return code
  }
}

/// The codes of short values seen lately, so that most rows need not ask the dictionary. One thread's.
final class RecentValues {
  /// A value of at most 15 bytes, its length in the highest byte of the second word.
  private struct Entry: BitwiseCopyable {
    var low: UInt64 = 0
    var high: UInt64 = .max
    var code: UInt32 = 0
  }

  private static let entryCount = 1024
  private var entries = [Entry](repeating: Entry(), count: entryCount)

  func code(_ text: Span<UInt8>) -> UInt32? {
    guard let (low, high) = Self.packed(text) else { return nil }
    let entry = entries[Self.place(low, high)]
    return entry.low == low && entry.high == high ? entry.code : nil
  }

  func keep(_ code: UInt32, _ text: Span<UInt8>) {
    guard let (low, high) = Self.packed(text) else { return }
    entries[Self.place(low, high)] = Entry(low: low, high: high, code: code)
  }

  private static func place(_ low: UInt64, _ high: UInt64) -> Int {
    Int(truncatingIfNeeded: ((low ^ high &* 0xFF51_AFD7_ED55_8CCD) &* 0x9E37_79B9_7F4A_7C15) >> 54)
  }

  private static func packed(_ text: Span<UInt8>) -> (UInt64, UInt64)? {
    let count = text.count
    if count > 15 { return nil }
    var low: UInt64 = 0
    var high = UInt64(count) << 56
    for place in 0..<min(count, 8) { low |= UInt64(text[place]) << UInt64(place * 8) }
    if count > 8 { for place in 8..<count { high |= UInt64(text[place]) << UInt64((place - 8) * 8) } }
    return (low, high)
  }
}

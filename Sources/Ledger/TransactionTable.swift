// All transactions: append-only columns, chained for each balance.

import Amounts
import Columns
import Platform

/// The columns of the transactions. Rows never change, but for their metadata; each row holds the previous
/// transaction of its source and of its destination, so that a balance's history is a chain.
package final class TransactionTable: Sendable {
  package let identifiers = IdentifierColumn(kind: .transaction)
  /// Rows of the balances that were debited and credited.
  package let sources = SegmentedColumn<UInt32>()
  package let destinations = SegmentedColumn<UInt32>()
  /// Minor units; an amount beyond 63 bits stands in the heap, and here its place, negated.
  let amounts = SegmentedColumn<Int64>()
  package let precisions = SegmentedColumn<Int64>()
  package let createdAt = SegmentedColumn<Int64>()
  /// Journal position of the fact.
  package let positions = SegmentedColumn<UInt64>()
  /// Previous transaction of the source (of the destination), its row plus one, 0 for none.
  package let previousOfSource = SegmentedColumn<UInt32>()
  package let previousOfDestination = SegmentedColumn<UInt32>()
  /// Status in the low four bits, then one bit: overdraft is allowed.
  package let flags = SegmentedColumn<UInt8>()
  let details = SegmentedColumn<HeapOffset>()
  let heap = TextHeap()
  let references = StripedIndex()
  /// One lane: the metadata's handle.
  package let cells: BlockTable
  package let metadata: RecordStore

  init(epochs: Epochs, metadata: RecordStore) {
    cells = BlockTable(epochs: epochs, kind: CellBlock.kind(laneCount: 1))
    self.metadata = metadata
  }

  /// Row of the balance that was debited.
  package func source(_ row: RowIndex) -> RowIndex { RowIndex(sources[row]) }

  /// Row of the balance that was credited.
  package func destination(_ row: RowIndex) -> RowIndex { RowIndex(destinations[row]) }

  package func amount(_ row: RowIndex) -> Amount {
    let narrow = amounts[row]
    if narrow >= 0 { return Amount(narrow) }
    let record = unsafe heap.bytes(HeapOffset(UInt64(-narrow)))
    var place = 0
    let span = unsafe Span<UInt8>(_unsafeElements: record.bindMemory(to: UInt8.self))
    guard let amount = try? Amount(bytes: span, at: &place) else {
      preconditionFailure("the heap keeps its records")
    }
    return amount
  }

  /// The 63-bit amounts from a row on; a negative value means that `amount` must be asked.
  package func narrowAmounts(from row: RowIndex, count: Int) -> UnsafeBufferPointer<Int64> {
    unsafe amounts.values(from: row, count: count)
  }

  package func status(_ row: RowIndex) -> TransactionStatus {
    guard let status = TransactionStatus(rawValue: flags[row] & 15) else {
      preconditionFailure("a known status")
    }
    return status
  }

  package func allowsOverdraft(_ row: RowIndex) -> Bool { flags[row] & 16 != 0 }

  package func detail(_ row: RowIndex) -> TransactionDetail {
    unsafe TransactionDetail(heap.bytes(details[row]))
  }

  /// The record behind `detail`, for readers of one field; valid while the table lives.
  package func detailBytes(_ row: RowIndex) -> UnsafeRawBufferPointer { unsafe heap.bytes(details[row]) }

  /// The reference's bytes, valid while the table lives.
  package func referenceBytes(_ row: RowIndex) -> UnsafeRawBufferPointer {
    unsafe TransactionDetail.referenceBytes(heap.bytes(details[row]))
  }

  /// The transaction with that reference, for the writer, who needs no lock.
  func writerRow(reference: String, hash: UInt64) -> RowIndex? {
    references.writerRow(hash: hash) { row in
      var reference = reference
      return reference.withUTF8 { unsafe textsAreEqual(referenceBytes(row), UnsafeRawBufferPointer($0)) }
    }
  }

  func writerRow(reference: UnsafeRawBufferPointer, hash: UInt64) -> RowIndex? {
    references.writerRow(hash: hash) { row in
      unsafe textsAreEqual(referenceBytes(row), reference)
    }
  }

  /// Makes the indexes for `rowCount` rows in all. Writer only.
  func reserve(_ rowCount: Int) {
    identifiers.reserve(rowCount)
    references.reserve(rowCount)
  }

  /// Asks for the index's slot of a reference's hash. Writer only.
  func prefetch(referenceHash: UInt64) { references.prefetch(hash: referenceHash) }

  /// Hash of a reference in the index.
  static func hash(reference: String) -> UInt64 {
    var reference = reference
    return reference.withUTF8 { unsafe KeyHash.hash(UnsafeRawBufferPointer($0)) }
  }

  /// The transaction with that reference. O(1) expected.
  package func row(reference: String) -> RowIndex? {
    var reference = reference
    return reference.withUTF8 { bytes in
      let bytes = UnsafeRawBufferPointer(bytes)
      return unsafe references.row(hash: KeyHash.hash(bytes)) { row in
        unsafe textsAreEqual(referenceBytes(row), bytes)
      }
    }
  }

  /// Metadata as a held cut sees it: a compact JSON object, empty for `{}`.
  package func metadataBytes(_ row: RowIndex, cut epoch: UInt64) -> [UInt8] {
    metadataBytes(row, cells.block(Layout.chunk(of: row), cut: epoch))
  }

  /// Metadata now. The caller holds the row's shard lock or keeps writers out.
  package func currentMetadata(_ row: RowIndex) -> [UInt8] {
    metadataBytes(row, cells.currentBlock(Layout.chunk(of: row)))
  }

  private func metadataBytes(_ row: RowIndex, _ block: Block?) -> [UInt8] {
    guard let block else { return [] }
    let handle = CellBlock(block)[lane: 0, slot: Layout.slot(of: row)]
    return handle == 0 ? [] : unsafe [UInt8](metadata.bytes(handle))
  }

  /// Appends a row. Writer only; the books publish it and link the chains.
  func append(
    _ row: RowIndex, _ fact: borrowing TransactionPosted, referenceHash: UInt64, position: UInt64,
    previousOfSource: UInt32, previousOfDestination: UInt32
  ) {
    append(
      row,
      FixedTransaction(
        source: fact.source, destination: fact.destination, precision: fact.precision,
        createdAt: fact.time, position: position, previousOfSource: previousOfSource,
        previousOfDestination: previousOfDestination,
        flags: fact.status.rawValue | (fact.allowOverdraft ? 16 : 0),
        detail: fact.detail.append(to: heap)),
      fact.amount, fact.identifier, referenceHash: referenceHash)
  }

  /// Appends a row whose detail record is given as `detailBytes` gave it.
  func append(
    _ row: RowIndex, _ fixed: FixedTransaction, _ amount: Amount, _ identifier: Identifier,
    detail: UnsafeRawBufferPointer, referenceHash: UInt64
  ) {
    var fixed = fixed
    fixed.detail = unsafe heap.append(detail)
    append(row, fixed, amount, identifier, referenceHash: referenceHash)
  }

  private func append(
    _ row: RowIndex, _ fixed: FixedTransaction, _ amount: Amount, _ identifier: Identifier,
    referenceHash: UInt64
  ) {
    appendAmount(amount, at: row)
    sources.append(fixed.source.rawValue, at: row)
    destinations.append(fixed.destination.rawValue, at: row)
    precisions.append(fixed.precision, at: row)
    createdAt.append(fixed.createdAt.count, at: row)
    positions.append(fixed.position, at: row)
    previousOfSource.append(fixed.previousOfSource, at: row)
    previousOfDestination.append(fixed.previousOfDestination, at: row)
    flags.append(fixed.flags, at: row)
    details.append(fixed.detail, at: row)
    identifiers.append(identifier, at: row)
    references.insert(hash: referenceHash, row: row)
  }

  @inline(__always)
  func appendAmount(_ amount: Amount, at row: RowIndex) {
    if let narrow = amount.int64, narrow >= 0 {
      amounts.append(narrow, at: row)
    } else {
      var bytes: [UInt8] = []
      amount.appendBytes(to: &bytes)
      amounts.append(-Int64(heap.append(bytes).rawValue), at: row)
    }
  }

  /// Bytes of all columns and indexes, for `rowCount` rows.
  package func byteCount(rowCount: Int) -> Int {
    rowCount * (16 + 4 + 4 + 8 + 8 + 8 + 8 + 4 + 4 + 1 + 8) + heap.byteCount + references.byteCount
      + identifiers.byteCount + cells.reservedByteCount
  }
}

/// The columns of one transaction that are plain numbers.
struct FixedTransaction {
  var source: RowIndex
  var destination: RowIndex
  var precision: Int64
  var createdAt: Microseconds
  var position: UInt64
  var previousOfSource: UInt32
  var previousOfDestination: UInt32
  var flags: UInt8
  var detail: HeapOffset
}

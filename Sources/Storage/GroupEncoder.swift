// From the rows of a cut to the columns of a group.

import Amounts
import Columns
import Ledger

/// Encodes one group after the other; its memory is used again. One thread at a time.
///
/// Reads through the cut only, so writers go on meanwhile.
@safe struct GroupEncoder: ~Copyable {
  private let cut: Cut
  private var identifiers = SplitColumn()
  private var amounts = AmountColumns()
  private var records = SplitColumn()
  private var details = SplitColumn()
  private var versions = BlockBytes()
  private var identities = BlockBytes()
  var output = EncodedGroup()

  init(_ cut: Cut) { self.cut = cut }

  /// Encodes a group of `table` that starts at the first row of `rows`, which lie in one stripe, into
  /// `output`.
  /// - Returns: how many rows it has: all, or fewer when their texts are long; at least one.
  mutating func encode(_ table: SnapshotTable, _ rows: Range<Int>, seed: UInt64) -> Int {
    precondition(!rows.isEmpty && rows.lowerBound >> 15 == (rows.upperBound - 1) >> 15, "rows of a stripe")
    switch table {
    case .currencies: return encodeTexts(table, cut.books.currencies, rows, seed)
    case .indicators: return encodeTexts(table, cut.books.indicators, rows, seed)
    case .ledgers: return encodeEntities(table, cut.books.ledgers, rows, seed)
    case .identities: return encodeEntities(table, cut.books.identities, rows, seed)
    case .balances: return encodeBalances(rows, seed)
    case .transactions: return encodeTransactions(rows, seed)
    case .keys: preconditionFailure("keys are not reached by row")
    }
  }

  // MARK: Keys

  /// Forgets what was encoded before; keys follow.
  mutating func beginKeys() { records.removeAll() }

  /// Adds a key's record to the group being gathered; true when the group is full.
  mutating func addKey(_ record: UnsafeRawBufferPointer) -> Bool {
    records.append(record: record)
    return records.byteCount >= BlockLimit.groupByteTarget || records.lane.count >= BlockLimit.rows * 4
  }

  /// Ends the group of keys that starts at key `first`; its rows, 0 when there are none.
  mutating func endKeys(first: Int, seed: UInt64) -> Int {
    let count = records.lane.count / 4
    if count > 0 {
      output.begin(.keys, seed: seed, firstRow: first, rowCount: count)
      output.add(SnapshotColumn.Key.record, records)
    }
    records.removeAll()
    return count
  }

  // MARK: Texts and entities

  private mutating func encodeTexts(
    _ table: SnapshotTable, _ dictionary: TextDictionary, _ rows: Range<Int>, _ seed: UInt64
  ) -> Int {
    records.removeAll()
    var row = rows.lowerBound
    repeat {
      unsafe records.append(record: dictionary.bytes(of: TextCode(row + 1)))
      row += 1
    } while row < rows.upperBound && records.byteCount < BlockLimit.groupByteTarget
    output.begin(table, seed: seed, firstRow: rows.lowerBound, rowCount: row - rows.lowerBound)
    output.add(SnapshotColumn.Text.text, records)
    return row - rows.lowerBound
  }

  private mutating func encodeEntities(
    _ table: SnapshotTable, _ entities: EntityTable, _ rows: Range<Int>, _ seed: UInt64
  ) -> Int {
    identifiers.removeAll()
    records.removeAll()
    var row = rows.lowerBound
    repeat {
      identifiers.append(textOf: entities.identifiers, RowIndex(row))
      unsafe records.append(optional: entities.record(RowIndex(row), cut: cut.epoch))
      row += 1
    } while row < rows.upperBound && identifiers.byteCount + records.byteCount < BlockLimit.groupByteTarget
    let first = RowIndex(rows.lowerBound)
    let count = row - rows.lowerBound
    output.begin(table, seed: seed, firstRow: rows.lowerBound, rowCount: count)
    identifiers.fillLane(entities.identifiers, first, count)
    output.add(SnapshotColumn.Entity.identifier, identifiers)
    unsafe output.add(
      SnapshotColumn.Entity.createdAt, differences: entities.createdAt.values(from: first, count: count))
    output.add(SnapshotColumn.Entity.record, records)
    return count
  }

  // MARK: Balances

  private mutating func encodeBalances(_ rows: Range<Int>, _ seed: UInt64) -> Int {
    identifiers.removeAll()
    records.removeAll()
    amounts.removeAll()
    versions.removeAll()
    identities.removeAll()
    let table = cut.books.balances
    var row = rows.lowerBound
    repeat {
      // Rows of one group of eight share their blocks.
      let end = min((row | (Layout.groupRows - 1)) + 1, rows.upperBound)
      appendBalances(table, row..<end)
      row = end
    } while row < rows.upperBound
      && identifiers.byteCount + records.byteCount + amounts.byteCount < BlockLimit.groupByteTarget
    let first = RowIndex(rows.lowerBound)
    let count = row - rows.lowerBound
    output.begin(.balances, seed: seed, firstRow: rows.lowerBound, rowCount: count)
    identifiers.fillLane(table.identifiers, first, count)
    typealias Column = SnapshotColumn.Balance
    output.add(Column.identifier, identifiers)
    add(Column.ledger, table.ledgers, first, count)
    add(Column.currency, table.currencies, first, count)
    add(Column.indicator, table.indicators, first, count)
    unsafe output.add(Column.createdAt, differences: table.createdAt.values(from: first, count: count))
    unsafe output.add(Column.multiplier, values: table.multipliers.values(from: first, count: count))
    unsafe output.add(Column.flags, values: table.flags.values(from: first, count: count))
    output.add(Column.credit, amounts.credit)
    output.add(Column.debit, amounts.debit)
    output.add(Column.inflightCredit, amounts.inflightCredit)
    output.add(Column.inflightDebit, amounts.inflightDebit)
    output.add(Column.version, versions)
    output.add(Column.identity, identities)
    output.add(Column.metadata, records)
    return count
  }

  /// Adds a column of codes, which has 32 bits a row in the file whatever it has in memory.
  private mutating func add(_ column: UInt8, _ codes: CodedColumn, _ first: RowIndex, _ count: Int) {
    unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: count) { values in
      unsafe codes.copy(from: first, into: values)
      unsafe output.add(column, values: UnsafeBufferPointer(values))
    }
  }

  private mutating func appendBalances(_ table: BalanceTable, _ rows: Range<Int>) {
    let chunk = Layout.chunk(of: RowIndex(rows.lowerBound))
    let totals = table.totals.block(chunk, cut: cut.epoch).map {
      AmountBlock($0, laneCount: BalanceTable.Lane.count)
    }
    let holds = table.holds.block(chunk, cut: cut.epoch).map {
      AmountBlock($0, laneCount: BalanceTable.HoldLane.count)
    }
    let cells = table.cells.block(chunk, cut: cut.epoch).map { CellBlock($0) }
    for number in rows {
      let row = RowIndex(number)
      let slot = Layout.slot(of: row)
      identifiers.append(textOf: table.identifiers, row)
      amounts.credit.append(totals?.amount(lane: BalanceTable.Lane.credit, slot: slot) ?? .zero)
      amounts.debit.append(totals?.amount(lane: BalanceTable.Lane.debit, slot: slot) ?? .zero)
      amounts.inflightCredit.append(holds?.amount(lane: BalanceTable.HoldLane.credit, slot: slot) ?? .zero)
      amounts.inflightDebit.append(holds?.amount(lane: BalanceTable.HoldLane.debit, slot: slot) ?? .zero)
      unsafe versions.append(totals?.words[slot] ?? 1)
      identities.append(cells?[lane: BalanceTable.Cell.identity, slot: slot] ?? 0)
      let handle = cells?[lane: BalanceTable.Cell.metadata, slot: slot] ?? 0
      unsafe records.append(optional: handle == 0 ? nil : table.metadata.bytes(handle))
    }
  }

  // MARK: Transactions

  private mutating func encodeTransactions(_ rows: Range<Int>, _ seed: UInt64) -> Int {
    identifiers.removeAll()
    records.removeAll()
    details.removeAll()
    amounts.removeAll()
    let table = cut.books.transactions
    var row = rows.lowerBound
    repeat {
      let end = min((row | (Layout.groupRows - 1)) + 1, rows.upperBound)
      let cells = table.cells.block(Layout.chunk(of: RowIndex(row)), cut: cut.epoch).map { CellBlock($0) }
      while row < end {
        let index = RowIndex(row)
        identifiers.append(textOf: table.identifiers, index)
        amounts.credit.append(table.amount(index))
        unsafe details.append(record: table.detailBytes(index))
        let handle = cells?[lane: 0, slot: Layout.slot(of: index)] ?? 0
        unsafe records.append(optional: handle == 0 ? nil : table.metadata.bytes(handle))
        row += 1
      }
    } while row < rows.upperBound
      && identifiers.byteCount + records.byteCount + amounts.byteCount + details.byteCount
        < BlockLimit.groupByteTarget
    let first = RowIndex(rows.lowerBound)
    let count = row - rows.lowerBound
    output.begin(.transactions, seed: seed, firstRow: rows.lowerBound, rowCount: count)
    identifiers.fillLane(table.identifiers, first, count)
    typealias Column = SnapshotColumn.Transaction
    output.add(Column.identifier, identifiers)
    unsafe output.add(Column.source, values: table.sources.values(from: first, count: count))
    unsafe output.add(Column.destination, values: table.destinations.values(from: first, count: count))
    output.add(Column.amount, amounts.credit)
    unsafe output.add(Column.precision, values: table.precisions.values(from: first, count: count))
    unsafe output.add(Column.createdAt, differences: table.createdAt.values(from: first, count: count))
    unsafe output.add(Column.position, differences: table.positions.values(from: first, count: count))
    unsafe output.add(Column.flags, values: table.flags.values(from: first, count: count))
    output.add(Column.detail, details)
    output.add(Column.metadata, records)
    return count
  }
}

/// The amounts of a group; transactions use the first column only.
private struct AmountColumns: ~Copyable {
  var credit = SplitColumn()
  var debit = SplitColumn()
  var inflightCredit = SplitColumn()
  var inflightDebit = SplitColumn()

  /// Bytes beyond the lanes, whose size is bounded anyway.
  var byteCount: Int {
    credit.tail.count + debit.tail.count + inflightCredit.tail.count + inflightDebit.tail.count
  }

  mutating func removeAll() {
    credit.removeAll()
    debit.removeAll()
    inflightCredit.removeAll()
    inflightDebit.removeAll()
  }
}

@safe extension SplitColumn {
  /// Appends an amount in the narrowest form.
  @inline(__always)
  fileprivate mutating func append(_ amount: Amount) {
    if let narrow = amount.int64, narrow != .min {
      lane.append(narrow)
    } else {
      lane.append(Int64.min)
      var bytes: [UInt8] = []
      amount.appendBytes(to: &bytes)
      tail.append(bytes)
    }
  }

  fileprivate mutating func append(record: UnsafeRawBufferPointer) {
    lane.append(UInt32(record.count))
    unsafe tail.append(record)
  }

  fileprivate mutating func append(optional record: UnsafeRawBufferPointer?) {
    if let record = unsafe record {
      append(record: record)
    } else {
      lane.append(SnapshotColumn.noRecord)
    }
  }

  /// Appends the text of a chosen identifier, nothing for a UUID.
  @inline(__always)
  fileprivate mutating func append(textOf column: IdentifierColumn, _ row: RowIndex) {
    if column.storedIdentifier(row).isUUID { return }
    guard case .custom(let text) = column[row] else {
      preconditionFailure("the stored form says which it is")
    }
    tail.append(UInt8(text.utf8.count))
    tail.append(Array(text.utf8))
  }

  /// Fills the lane with the halves of the identifiers.
  fileprivate mutating func fillLane(_ column: IdentifierColumn, _ first: RowIndex, _ count: Int) {
    var before: UInt64 = 0
    for place in 0..<count {
      let high = column.storedIdentifier(RowIndex(first.index + place)).high
      lane.append(high &- before)
      before = high
    }
    for place in 0..<count {
      let identifier = column.storedIdentifier(RowIndex(first.index + place))
      lane.append(identifier.isUUID ? identifier.low : 0)
    }
  }
}

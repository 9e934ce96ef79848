// Codes and values of chosen rows of a stripe, gathered into arrays.

import Amounts
import Columns
import Ledger

/// Reads columns of one stripe at given places.
struct StripeColumns {
  let reader: RowReader
  let stripe: Int
  let rowCount: Int

  var firstRow: Int { stripe * Layout.stripeRows }

  private func row(_ place: UInt16) -> RowIndex { RowIndex(firstRow + Int(place)) }

  /// Chunk of a place in its stripe.
  @inline(__always)
  private static func chunk(_ place: UInt16) -> Int { Int(place >> 3) & 63 }

  /// Slot of a place in its chunk.
  @inline(__always)
  private static func slot(_ place: UInt16) -> Int { Int(place >> 9) << 3 | Int(place & 7) }

  // MARK: Codes

  /// Sets the first codes to those of `places[range]`.
  func codes(
    _ source: GroupColumn.Source, _ places: [UInt16], _ range: Range<Int>, into codes: inout [UInt32]
  ) {
    switch source {
    case .ledger: fixed(.ledger, places, range, &codes)
    case .currency where reader.table == .balances: fixed(.currency, places, range, &codes)
    case .currency:
      let currencies = reader.books.balances.currencies
      fixed(.source, places, range, &codes)
      for place in range {
        let index = place - range.lowerBound
        codes[index] = UInt32(currencies[RowIndex(codes[index])])
      }
    case .indicator: fixed(.indicator, places, range, &codes)
    case .source: fixed(.source, places, range, &codes)
    case .destination: fixed(.destination, places, range, &codes)
    case .identity: identities(places, range, &codes)
    case .lineageFlag: flags(places, range, &codes) { $0 & 1 }
    case .strategy: flags(places, range, &codes) { $0 >> 1 & 3 }
    case .status: flags(places, range, &codes) { $0 & 15 }
    case .created: preconditionFailure("times are coded by their table")
    }
  }

  private func fixed(_ column: CodeColumn, _ places: [UInt16], _ range: Range<Int>, _ codes: inout [UInt32]) {
    switch reader.codeLanes(column, from: RowIndex(firstRow), count: rowCount) {
    case .bytes(let values):
      for place in range { codes[place - range.lowerBound] = unsafe UInt32(values[Int(places[place])]) }
    case .shorts(let values):
      for place in range { codes[place - range.lowerBound] = unsafe UInt32(values[Int(places[place])]) }
    case .words(let values):
      for place in range { codes[place - range.lowerBound] = unsafe values[Int(places[place])] }
    }
  }

  private func identities(_ places: [UInt16], _ range: Range<Int>, _ codes: inout [UInt32]) {
    let cells = reader.books.balances.cells
    let lanes = unsafe (0..<Layout.shardCount).map { shard in
      unsafe cells.block(stripe * Layout.shardCount + shard, cut: reader.cut.epoch)
        .map { unsafe CellBlock($0).lane(BalanceTable.Cell.identity) }
    }
    for place in range {
      let lane = unsafe lanes[Self.chunk(places[place])]
      codes[place - range.lowerBound] = unsafe lane?[Self.slot(places[place])] ?? 0
    }
  }

  @inline(__always)
  private func flags(
    _ places: [UInt16], _ range: Range<Int>, _ codes: inout [UInt32], _ code: (UInt8) -> UInt8
  ) {
    let column = reader.table == .balances ? reader.books.balances.flags : reader.books.transactions.flags
    let values = unsafe column.values(from: RowIndex(firstRow), count: rowCount)
    for place in range {
      codes[place - range.lowerBound] = UInt32(code(unsafe values[Int(places[place])]))
    }
  }

  /// Sets the first codes to those of the times of `places[range]`.
  func times(_ table: TimeCodes, _ places: [UInt16], _ range: Range<Int>, into codes: inout [UInt32]) {
    let values = unsafe reader.createdAt.values(from: RowIndex(firstRow), count: rowCount)
    for place in range {
      codes[place - range.lowerBound] = table.code(of: unsafe values[Int(places[place])])
    }
  }

  // MARK: Values

  /// Sets the first values to those of `places[range]`; values beyond 64 bits go to `wide` with their index,
  /// and leave a zero.
  func values(
    _ field: MeasuredField, _ places: [UInt16], _ range: Range<Int>, into values: inout [Int64],
    wide: inout [(Int, Amount)]
  ) {
    switch field {
    case .createdAt:
      let times = unsafe reader.createdAt.values(from: RowIndex(firstRow), count: rowCount)
      for place in range { values[place - range.lowerBound] = unsafe times[Int(places[place])] }
    case .amount(.precise):
      let amounts = unsafe reader.books.transactions.narrowAmounts(from: RowIndex(firstRow), count: rowCount)
      for place in range {
        let value = unsafe amounts[Int(places[place])]
        values[place - range.lowerBound] = value
        if value < 0 { setWide(.precise, places[place], at: place - range.lowerBound, &values, &wide) }
      }
    case .amount(.inflightBalance): inflightBalances(places, range, &values, &wide)
    case .amount(let column): lane(column, places, range, &values, &wide)
    }
  }

  private func setWide(
    _ column: AmountColumn, _ place: UInt16, at index: Int, _ values: inout [Int64],
    _ wide: inout [(Int, Amount)]
  ) {
    values[index] = 0
    wide.append((index, reader.amount(column, row(place))))
  }

  private func lane(
    _ column: AmountColumn, _ places: [UInt16], _ range: Range<Int>, _ values: inout [Int64],
    _ wide: inout [(Int, Amount)]
  ) {
    let (table, laneCount, lane) = reader.lanes(column)
    let lanes = unsafe (0..<Layout.shardCount).map { shard in
      unsafe table.block(stripe * Layout.shardCount + shard, cut: reader.cut.epoch)
        .map { unsafe AmountBlock($0, laneCount: laneCount).lane(lane) }
    }
    for place in range {
      let lane = unsafe lanes[Self.chunk(places[place])]
      let value = unsafe lane?[Self.slot(places[place])] ?? 0
      values[place - range.lowerBound] = value
      if value == AmountBlock.wideMark {
        setWide(column, places[place], at: place - range.lowerBound, &values, &wide)
      }
    }
  }

  private func inflightBalances(
    _ places: [UInt16], _ range: Range<Int>, _ values: inout [Int64], _ wide: inout [(Int, Amount)]
  ) {
    let holds = reader.books.balances.holds
    let isThere = (0..<Layout.shardCount).map { shard in
      holds.block(stripe * Layout.shardCount + shard, cut: reader.cut.epoch) != nil
    }
    for place in range {
      values[place - range.lowerBound] = 0
      guard isThere[Self.chunk(places[place])] else { continue }
      let amount = reader.amount(.inflightBalance, row(places[place]))
      if let value = amount.int64 {
        values[place - range.lowerBound] = value
      } else {
        wide.append((place - range.lowerBound, amount))
      }
    }
  }
}

/// What the metrics of a request are computed of.
enum MeasuredField: Hashable {
  case amount(AmountColumn)
  case createdAt

  init(_ field: QueryField) {
    switch field.source {
    case .createdAt: self = .createdAt
    case .credit: self = .amount(.credit)
    case .debit: self = .amount(.debit)
    case .balance: self = .amount(.balance)
    case .inflightCredit: self = .amount(.inflightCredit)
    case .inflightDebit: self = .amount(.inflightDebit)
    case .inflightBalance: self = .amount(.inflightBalance)
    case .preciseAmount: self = .amount(.precise)
    default: preconditionFailure("metrics are of amounts and of created_at")
    }
  }
}

/// Codes of the calendar units between two times, looked up by day.
struct TimeCodes {
  private let firstDay: Int
  private let codes: [UInt32]
  /// `CalendarCodes.code` of code 0.
  let first: UInt32
  /// How many codes there are.
  let count: Int

  /// Codes for times within `bounds`.
  init(_ bounds: ClosedRange<Int64>, _ unit: CalendarUnit) {
    firstDay = CalendarCodes.day(of: bounds.lowerBound)
    let lastDay = CalendarCodes.day(of: bounds.upperBound)
    let first = CalendarCodes.code(ofDay: firstDay, unit)
    self.first = first
    codes = (firstDay...lastDay).map { CalendarCodes.code(ofDay: $0, unit) - first }
    count = Int(CalendarCodes.code(ofDay: lastDay, unit) - first) + 1
  }

  @inline(__always)
  func code(of time: Int64) -> UInt32 { codes[CalendarCodes.day(of: time) - firstDay] }

  /// Whether the time is within the bounds.
  func covers(_ time: Int64) -> Bool { codes.indices.contains(CalendarCodes.day(of: time) - firstDay) }

  /// Whether the time is within the bounds and has the code.
  func holds(_ time: Int64, _ code: UInt32) -> Bool { covers(time) && self.code(of: time) == code }
}

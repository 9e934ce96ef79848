// The codes that rows have in group columns, one row at a time, and how many there are.

import Columns
import Ledger

extension RowReader {
  /// How many codes a group column may have.
  func codeCount(_ source: GroupColumn.Source) -> Int {
    switch source {
    case .ledger: cut.ledgerCount
    case .currency: cut.currencyCount + 1
    case .indicator: cut.indicatorCount + 1
    case .identity: cut.identityCount + 1
    case .source, .destination: cut.balanceCount
    case .lineageFlag: 2
    case .strategy: 4
    case .status: 16
    case .created: preconditionFailure("times are counted by their table")
    }
  }

  /// The code of one row in a group column.
  func groupCode(_ source: GroupColumn.Source, _ row: RowIndex) -> UInt32 {
    switch source {
    case .ledger: code(.ledger, row)
    case .currency where table == .balances: code(.currency, row)
    case .currency: UInt32(books.balances.currencies[RowIndex(code(.source, row))])
    case .indicator: code(.indicator, row)
    case .identity: code(.identity, row)
    case .source: code(.source, row)
    case .destination: code(.destination, row)
    case .lineageFlag: UInt32(flags(row) & 1)
    case .strategy: UInt32(flags(row) >> 1 & 3)
    case .status: UInt32(flags(row) & 15)
    case .created(let unit): CalendarCodes.code(of: createdAt[row], unit)
    }
  }
}

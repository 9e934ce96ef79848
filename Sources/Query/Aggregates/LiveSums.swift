// Totals of groups added up by ledger, by currency, or all together.

import Amounts
import Ledger

/// Adds up the images of groups by the columns of a request.
struct LiveSums {
  /// What a metric shows.
  enum Measure {
    case count
    case sum(Side)
    case average(Side)

    enum Side {
      case credit, debit, balance
    }

    init(_ metric: Metric) {
      let side: Side =
        switch metric.field?.source {
        case .credit: .credit
        case .debit: .debit
        default: .balance
        }
      switch metric.function {
      case .count: self = .count
      case .avg: self = .average(side)
      case .sum, .min, .max: self = .sum(side)
      }
    }
  }

  private(set) var groups: FoundGroups
  private var cells: [GroupCell] = []
  /// What has left 128 bits, beside the cells.
  private var wide: [Int: GroupTotals] = [:]
  private let columns: [GroupColumn.Source]
  /// Group numbers by code plus one, 0 for none; for requests with one column.
  private var numbers: [UInt32] = []

  init(_ request: AggregateRequest, _ images: GroupImages) {
    columns = request.groupBy.map(\.source)
    groups = FoundGroups(columns: columns.count)
    if columns.isEmpty {
      groups.numbers = [0]
      cells = [GroupCell()]
    } else {
      groups.numbers.reserveCapacity(images.cells.count)
      groups.codes.reserveCapacity(images.cells.count * columns.count)
      cells.reserveCapacity(images.cells.count)
    }
  }

  /// Adds a group.
  mutating func add(_ images: GroupImages, _ group: Int, ledger: UInt32, currency: UInt32) {
    switch columns.count {
    case 0: add(images, group, to: 0)
    case 1:
      let code = Int(columns[0] == .ledger ? ledger : currency)
      if code >= numbers.count {
        numbers.append(contentsOf: repeatElement(0, count: max(code + 1, numbers.count * 2) - numbers.count))
      }
      if numbers[code] == 0 {
        open()
        groups.codes.append(UInt32(code))
        numbers[code] = UInt32(cells.count)
      }
      add(images, group, to: Int(numbers[code]) - 1)
    default:
      // Both, so each group is one of its own.
      open()
      for column in columns { groups.codes.append(column == .ledger ? ledger : currency) }
      add(images, group, to: cells.count - 1)
    }
  }

  private mutating func open() {
    groups.numbers.append(cells.count)
    cells.append(GroupCell())
  }

  @inline(__always)
  private mutating func add(_ images: GroupImages, _ group: Int, to number: Int) {
    let more = images.cells[group]
    let (credit, creditOverflow) = cells[number].credit.addingReportingOverflow(more.credit)
    let (debit, debitOverflow) = cells[number].debit.addingReportingOverflow(more.debit)
    cells[number].count += more.count
    if more.isWide || creditOverflow || debitOverflow {
      return addWide(
        images.wide[UInt32(group)]
          ?? GroupTotals(credit: Amount(more.credit), debit: Amount(more.debit)), to: number)
    }
    cells[number].credit = credit
    cells[number].debit = debit
  }

  private mutating func addWide(_ more: GroupTotals, to number: Int) {
    wide[number, default: GroupTotals()].credit += more.credit
    wide[number, default: GroupTotals()].debit += more.debit
  }

  /// A metric of a group.
  func value(_ measure: Measure, _ number: Int) -> MetricValue {
    switch measure {
    case .count: .count(cells[number].count)
    case .sum(let side): .amount(sum(side, number))
    case .average(let side):
      cells[number].count == 0 ? .null : .average(sum(side, number), cells[number].count)
    }
  }

  @inline(__always)
  private func sum(_ side: Measure.Side, _ number: Int) -> Amount {
    let cell = cells[number]
    let (credit, debit) = (Amount(cell.credit), Amount(cell.debit))
    if !wide.isEmpty, let wide = wide[number] {
      switch side {
      case .credit: return credit + wide.credit
      case .debit: return debit + wide.debit
      case .balance: return credit + wide.credit - (debit + wide.debit)
      }
    }
    switch side {
    case .credit: return credit
    case .debit: return debit
    case .balance: return credit - debit
    }
  }
}

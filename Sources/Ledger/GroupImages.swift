// The live totals of all groups, copied at one moment.

import Amounts
import Columns

/// Totals of one group while they fit 128 bits.
package struct GroupCell: BitwiseCopyable, Sendable {
  package var credit: Int128
  package var debit: Int128
  package var count: Int
  /// The group's totals need more than that: `GroupImages.wide` has them, and both sides are 0 here.
  package var isWide: Bool

  package init(credit: Int128 = 0, debit: Int128 = 0, count: Int = 0, isWide: Bool = false) {
    self.credit = credit
    self.debit = debit
    self.count = count
    self.isWide = isWide
  }
}

/// The totals of all groups as they stood at one moment. Any thread, at any time after it.
package struct GroupImages: Sendable {
  /// By group.
  package private(set) var cells: [GroupCell] = []
  package private(set) var wide: [UInt32: GroupTotals] = [:]
  private let groups: BalanceGroups

  /// Copies the totals; the caller keeps writers out meanwhile. About 3 ns a group.
  package init(_ live: LiveGroups) {
    groups = live.groups
    cells.reserveCapacity(live.count)
    for group in 0..<UInt32(live.count) {
      let cell = groups.cell(group)
      if cell.isWide { wide[group] = groups.totals(group) }
      cells.append(cell)
    }
  }

  package func ledger(of group: Int) -> UInt32 { groups.ledger(of: UInt32(group)).rawValue }
  package func currency(of group: Int) -> UInt32 { groups.currency(of: UInt32(group)) }
}

// All balances of one ledger in one currency together: how many, and what they hold.

import Amounts
import Columns
import Platform
import Synchronization

/// What a group's balances hold together.
package struct GroupTotals: Sendable, Equatable {
  /// Balances of the group.
  package var count: Int
  package var credit: Amount
  package var debit: Amount
  package var balance: Amount { credit - debit }

  package init(count: Int = 0, credit: Amount = .zero, debit: Amount = .zero) {
    self.count = count
    self.credit = credit
    self.debit = debit
  }
}

/// A group is all balances of one (ledger, currency). Groups are numbered from 0 in order of their first
/// balance and never go; `BalanceTable.groups` has the number of each row.
///
/// Ledger and currency of a group never change: any thread that learned its number through a lock or a cut
/// reads them. The totals are those of now: only an instant view shows them (`Cut.groups`).
@safe package final class BalanceGroups: Sendable {
  /// High half the ledger's row, low half the currency's code.
  private let keys = SegmentedColumn<UInt64>()
  private let cells = SegmentedColumn<Cell>()
  private let index = StripedIndex()
  private let counter = Atomic<Int>(0)

  /// Totals of one group, one cache line. What a sum is too large for lies beside it, in an object: value =
  /// narrow + wide.
  private struct Cell: BitwiseCopyable {
    var credit: Int128 = 0
    var debit: Int128 = 0
    var count = 0
    /// Address of a retained `WideTotals`, 0 while every sum has fitted.
    var wide: UInt = 0
    var padding: (UInt, UInt) = (0, 0)
  }

  private final class WideTotals {
    var credit = Amount.zero
    var debit = Amount.zero
  }

  init() {}

  deinit {
    for group in 0..<count {
      if let wide = unsafe UnsafeRawPointer(bitPattern: cells[RowIndex(group)].wide) {
        unsafe Unmanaged<WideTotals>.fromOpaque(wide).release()
      }
    }
  }

  // MARK: What never changes

  /// Groups made so far; the numbers are 0 to this less one. Any thread; a cut may not see a balance of the
  /// newest ones.
  package var count: Int { counter.load(ordering: .acquiring) }

  /// Row of the group's ledger. O(1).
  package func ledger(of group: UInt32) -> RowIndex {
    RowIndex(UInt32(truncatingIfNeeded: keys[RowIndex(group)] >> 32))
  }

  /// Code of the group's currency. O(1).
  package func currency(of group: UInt32) -> TextCode {
    UInt32(truncatingIfNeeded: keys[RowIndex(group)])
  }

  /// The group of that ledger and currency, if any balance was ever in it. Any thread. O(1) expected.
  package func group(ledger: RowIndex, currency: TextCode) -> UInt32? {
    let key = Self.key(ledger, currency)
    let group = index.row(hash: Self.hash(key)) { keys[$0] == key }?.rawValue
    // The index knows a group a little before it is counted.
    guard let group, group < UInt32(count) else { return nil }
    return group
  }

  private static func key(_ ledger: RowIndex, _ currency: TextCode) -> UInt64 {
    UInt64(ledger.rawValue) << 32 | UInt64(currency)
  }

  private static func hash(_ key: UInt64) -> UInt64 { KeyHash.hash(key, 0) }

  // MARK: Live totals

  /// What the group's balances hold now. The caller holds the creation lock.
  func totals(_ group: UInt32) -> GroupTotals {
    let cell = cells[RowIndex(group)]
    var totals = GroupTotals(count: cell.count, credit: Amount(cell.credit), debit: Amount(cell.debit))
    if let wide = Self.wide(cell) {
      totals.credit += wide.credit
      totals.debit += wide.debit
    }
    return totals
  }

  /// The same without what needs an object. The caller holds the creation lock.
  @inline(__always)
  func cell(_ group: UInt32) -> GroupCell {
    let cell = cells[RowIndex(group)]
    if cell.wide != 0 { return GroupCell(count: cell.count, isWide: true) }
    return GroupCell(credit: cell.credit, debit: cell.debit, count: cell.count)
  }

  /// Balances whose ledger and currency are both wanted, by row and code; nil for all. The caller holds the
  /// creation lock.
  func balanceCount(ledgers: [Bool]?, currencies: [Bool]?) -> Int {
    var total = 0
    for group in 0..<count {
      let key = keys[RowIndex(group)]
      if let currencies {
        let currency = Int(truncatingIfNeeded: key & 0xFFFF_FFFF)
        if currency >= currencies.count || !currencies[currency] { continue }
      }
      if let ledgers {
        let ledger = Int(truncatingIfNeeded: key >> 32)
        if ledger >= ledgers.count || !ledgers[ledger] { continue }
      }
      total += cells[RowIndex(group)].count
    }
    return total
  }

  /// Calls `body` with each group that has balances, in order of their numbers. The caller holds the creation
  /// lock.
  func forEachInUse(_ body: (_ group: Int, _ ledger: UInt32, _ currency: UInt32) -> Void) {
    for group in 0..<count where cells[RowIndex(group)].count > 0 {
      let key = keys[RowIndex(group)]
      body(group, UInt32(truncatingIfNeeded: key >> 32), UInt32(truncatingIfNeeded: key))
    }
  }

  // MARK: Writer only

  /// The group of that ledger and currency, new if need be.
  func intern(ledger: RowIndex, currency: TextCode) -> UInt32 {
    let key = Self.key(ledger, currency)
    let hash = Self.hash(key)
    if let group = index.writerRow(hash: hash, where: { keys[$0] == key }) { return group.rawValue }
    let group = RowIndex(counter.load(ordering: .relaxed))
    keys.append(key, at: group)
    cells.append(Cell(), at: group)
    index.insert(hash: hash, row: group)
    counter.store(group.index + 1, ordering: .releasing)
    return group.rawValue
  }

  /// Counts balances that were made.
  func count(_ newBalances: Int, in group: UInt32) {
    unsafe cells.place(of: RowIndex(group)).pointee.count += newBalances
  }

  /// An amount goes from a balance of one group to a balance of another or the same. About 2 ns while the
  /// groups are in cache.
  @inline(__always)
  func move(_ amount: borrowing Amount, from source: UInt32, to destination: UInt32) {
    let (giver, taker) = unsafe (cells.place(of: RowIndex(source)), cells.place(of: RowIndex(destination)))
    if let narrow = amount.int128 {
      let (debit, debitOverflow) = unsafe giver.pointee.debit.addingReportingOverflow(narrow)
      let (credit, creditOverflow) = unsafe taker.pointee.credit.addingReportingOverflow(narrow)
      if !debitOverflow, !creditOverflow {
        unsafe giver.pointee.debit = debit
        unsafe taker.pointee.credit = credit
        return
      }
    }
    moveWide(copy amount, from: source, to: destination)
  }

  /// Adds what restored balances hold.
  func add(credit: Int64, debit: Int64, to group: UInt32) {
    let cell = unsafe cells.place(of: RowIndex(group))
    let (creditSum, creditOverflow) = unsafe cell.pointee.credit.addingReportingOverflow(Int128(credit))
    let (debitSum, debitOverflow) = unsafe cell.pointee.debit.addingReportingOverflow(Int128(debit))
    if creditOverflow || debitOverflow { return add(credit: Amount(credit), debit: Amount(debit), to: group) }
    unsafe cell.pointee.credit = creditSum
    unsafe cell.pointee.debit = debitSum
  }

  /// The same with amounts of any size.
  func add(credit: Amount, debit: Amount, to group: UInt32) {
    addWide(credit, to: group, \.credit, \.credit)
    addWide(debit, to: group, \.debit, \.debit)
  }

  @inline(never)
  private func moveWide(_ amount: Amount, from source: UInt32, to destination: UInt32) {
    addWide(amount, to: source, \.debit, \.debit)
    addWide(amount, to: destination, \.credit, \.credit)
  }

  /// Adds to one side of a group, through the wide sum if the narrow one has no room.
  private func addWide(
    _ amount: Amount, to group: UInt32, _ narrowSide: WritableKeyPath<Cell, Int128>,
    _ wideSide: ReferenceWritableKeyPath<WideTotals, Amount>
  ) {
    let cell = unsafe cells.place(of: RowIndex(group))
    if let narrow = amount.int128 {
      let (sum, overflow) = unsafe cell.pointee[keyPath: narrowSide].addingReportingOverflow(narrow)
      if !overflow {
        unsafe cell.pointee[keyPath: narrowSide] = sum
        return
      }
    }
    if unsafe cell.pointee.wide == 0 {
      unsafe cell.pointee.wide = UInt(bitPattern: Unmanaged.passRetained(WideTotals()).toOpaque())
    }
    guard let wide = unsafe Self.wide(cell.pointee) else { preconditionFailure("it was just made") }
    unsafe wide[keyPath: wideSide] += Amount(cell.pointee[keyPath: narrowSide]) + amount
    unsafe cell.pointee[keyPath: narrowSide] = 0
  }

  private static func wide(_ cell: Cell) -> WideTotals? {
    guard let address = unsafe UnsafeRawPointer(bitPattern: cell.wide) else { return nil }
    return unsafe Unmanaged<WideTotals>.fromOpaque(address).takeUnretainedValue()
  }
}

/// The groups as an instant view sees them: with their totals of now.
package struct LiveGroups {
  let groups: BalanceGroups

  /// The caller holds the creation lock for as long as the value is used.
  init(_ groups: BalanceGroups) { self.groups = groups }

  package var count: Int { groups.count }
  package func ledger(of group: UInt32) -> RowIndex { groups.ledger(of: group) }
  package func currency(of group: UInt32) -> TextCode { groups.currency(of: group) }
  package func group(ledger: RowIndex, currency: TextCode) -> UInt32? {
    groups.group(ledger: ledger, currency: currency)
  }

  /// What the group's balances hold now. About 10 ns.
  package func totals(_ group: UInt32) -> GroupTotals { groups.totals(group) }
}

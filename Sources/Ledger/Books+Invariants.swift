// What always holds in the books, checked from the rows up.

import Amounts
import Columns
import Platform

extension Books {
  /// Checks everything that a cut sees: that credits equal debits and agree with the transactions, that every
  /// balance is credit less debit, that chains are complete, indexes find every row, amounts have one form;
  /// and that groups and lists are what the rows of now say, for which writers wait. Otherwise they may go on
  /// meanwhile.
  /// - Returns: what is wrong, at most `limit` texts; empty for sound books.
  /// - Complexity: O(rows), with two amounts of memory for each balance.
  package func checkInvariants(on cut: Cut, limit: Int = 100) -> [String] {
    var check = InvariantCheck(books: self, cut: cut, limit: limit)
    check.run()
    return check.faults
  }
}

private struct InvariantCheck {
  let books: Books
  let cut: Cut
  let limit: Int
  var faults: [String] = []
  /// By balance: what the transactions say.
  private var credits: [Amount]
  private var debits: [Amount]
  private var touches: [UInt32]
  /// By balance: its newest transaction that the cut sees, plus one.
  private var newest: [UInt32]

  init(books: Books, cut: Cut, limit: Int) {
    self.books = books
    self.cut = cut
    self.limit = limit
    credits = Array(repeating: .zero, count: cut.balanceCount)
    debits = credits
    touches = Array(repeating: 0, count: cut.balanceCount)
    newest = touches
  }

  mutating func run() {
    checkEntities(books.ledgers, .ledger, cut.ledgerCount)
    checkEntities(books.identities, .identity, cut.identityCount)
    checkTransactions()
    checkBalances()
    checkForms()
    if let fault = books.faultOfGroups() { expect(false, fault) }
    if let fault = books.faultOfLists() { expect(false, fault) }
    if let fault = books.faultOfMaxima() { expect(false, fault) }
    checkOrder()
  }

  private mutating func expect(_ holds: Bool, _ text: @autoclosure () -> String) {
    if !holds, faults.count < limit { faults.append(text()) }
  }

  private mutating func checkEntities(_ table: EntityTable, _ kind: EntityKind, _ count: Int) {
    for index in 0..<count {
      let identifier = table.identifiers[RowIndex(index)]
      expect(
        table.identifiers.row(of: identifier) == RowIndex(index),
        "\(identifier.text(kind: kind)) is not found by its identifier")
    }
  }

  private mutating func checkTransactions() {
    let table = books.transactions
    var position: UInt64 = 0
    var time = Int64.min
    for index in 0..<cut.transactionCount {
      let row = RowIndex(index)
      let name = table.identifiers[row].text(kind: .transaction)
      let source = table.source(row)
      let destination = table.destination(row)
      expect(
        table.identifiers.row(of: table.identifiers[row]) == row, "\(name) is not found by its identifier")
      expect(
        table.row(reference: table.detail(row).reference) == row, "\(name) is not found by its reference")
      expect(table.positions[row] > position, "\(name) has no later position than the one before it")
      expect(table.positions[row] <= cut.position, "\(name) has a position after the cut's")
      expect(table.createdAt[row] >= time, "\(name) is earlier than the one before it")
      position = table.positions[row]
      time = table.createdAt[row]
      guard source != destination, source.index < cut.balanceCount, destination.index < cut.balanceCount
      else {
        expect(false, "\(name) does not lie between two balances")
        continue
      }
      let amount = table.amount(row)
      expect(amount.signum > 0, "\(name) moves \(amount)")
      expect(table.status(row) == .applied, "\(name) has a status that nothing gives yet")
      expect(
        books.balances.currencies[source] == books.balances.currencies[destination],
        "\(name) lies between two currencies")
      expect(
        table.previousOfSource[row] == newest[source.index], "the chain of the source breaks at \(name)")
      expect(
        table.previousOfDestination[row] == newest[destination.index],
        "the chain of the destination breaks at \(name)")
      for (side, isSource) in [(source, true), (destination, false)] {
        if isSource { debits[side.index] += amount } else { credits[side.index] += amount }
        touches[side.index] += 1
        newest[side.index] = row.rawValue + 1
      }
    }
  }

  private mutating func checkBalances() {
    let table = books.balances
    var sums = [Amount](repeating: .zero, count: cut.currencyCount + 1)
    var owners: [RowIndex: UInt32] = [:]
    var isInTimeOrder = true
    for index in 0..<cut.balanceCount {
      let row = RowIndex(index)
      let image = cut.balance(row)
      let name = table.identifiers[row].text(kind: .balance)
      expect(
        table.identifiers.row(of: table.identifiers[row]) == row, "\(name) is not found by its identifier")
      if table.indicators[row] != 0 {
        expect(
          table.row(indicator: table.indicators[row], currency: table.currencies[row]) == row,
          "\(name) is not found by its indicator")
        expect(table.ledgers[row] == 0, "\(name) has an indicator outside the general ledger")
      }
      expect(image.balance == image.credit - image.debit, "the balance of \(name) is not credit less debit")
      expect(image.credit == credits[index], "the credit of \(name) is not what its transactions say")
      expect(image.debit == debits[index], "the debit of \(name) is not what its transactions say")
      expect(image.version == touches[index] + 1, "the version of \(name) does not count its transactions")
      expect(
        image.inflightCredit.isZero && image.inflightDebit.isZero, "\(name) has holds that nothing makes yet")
      expect(
        newestSeen(row) == newest[index], "the chain of \(name) does not start at its newest transaction")
      sums[Int(table.currencies[row])] += image.balance
      if let identity = image.identity { owners[identity, default: 0] += 1 }
      if index > 0, table.createdAt[row] < table.createdAt[RowIndex(index - 1)] { isInTimeOrder = false }
    }
    for (code, sum) in sums.enumerated() {
      let currency = books.currencies.text(of: TextCode(code)) ?? "no currency"
      expect(sum.isZero, "credits less debits in \(currency) make \(sum)")
    }
    expect(isInTimeOrder || !cut.balancesLieInTimeOrder, "the balances do not lie in order of time")
    for (identity, _) in owners {
      let record = unsafe books.identities.record(identity, cut: cut.epoch)
      expect(
        unsafe identity.index < cut.identityCount && record != nil,
        "identity row \(identity.index) owns balances and does not exist")
    }
    checkOwnership(owners)
  }

  /// The counts of balances by identity are the writer's, so they can be compared only if nothing was written
  /// since.
  private mutating func checkOwnership(_ owners: [RowIndex: UInt32]) {
    let wrong = books.creationLock.withLock {
      books.position != cut.position
        ? nil
        : (0..<cut.identityCount).first {
          books.identities.balanceCounts[RowIndex($0)] != owners[RowIndex($0), default: 0]
        }
    }
    expect(wrong == nil, "identity row \(wrong ?? 0) has another number of balances than it counts")
  }

  /// The order is that of now, so it can be looked at only if nothing was written since.
  private mutating func checkOrder() {
    let rest = limit - faults.count
    faults += books.withInstant { now in
      if now.position != cut.position || rest <= 0 { return [] }
      books.balances.order.refresh(rowCount: now.balanceCount)
      return books.balances.order.checkInvariants(rowCount: now.balanceCount, limit: rest)
    }
  }

  /// The newest transaction of a balance that the cut sees, plus one: later ones are walked past.
  private func newestSeen(_ row: RowIndex) -> UInt32 {
    books.withShard(of: row) {
      var mark = books.balances.newestTransactions[row]
      while Int(mark) > cut.transactionCount {
        let transaction = RowIndex(mark - 1)
        mark =
          books.transactions.source(transaction) == row
          ? books.transactions.previousOfSource[transaction]
          : books.transactions.previousOfDestination[transaction]
      }
      return mark
    }
  }

  /// A value stands beside its lane if and only if it needs to.
  private mutating func checkForms() {
    for chunk in 0..<Layout.chunkCount(rows: cut.balanceCount) {
      guard let totals = books.balances.totals.block(chunk, cut: cut.epoch) else { continue }
      let block = AmountBlock(totals, laneCount: BalanceTable.Lane.count)
      var markCount = 0
      for lane in 0..<BalanceTable.Lane.count {
        for slot in 0..<Layout.chunkRows {
          expect(
            unsafe block.sketches(lane)[slot] == Sketch.code(block.amount(lane: lane, slot: slot)),
            "the sketch of an amount in chunk \(chunk) is another's")
          guard unsafe block.lane(lane)[slot] == AmountBlock.wideMark else { continue }
          markCount += 1
          let narrow = block.amount(lane: lane, slot: slot).int64
          expect(
            narrow == nil || narrow == AmountBlock.wideMark,
            "an amount in chunk \(chunk) is kept wide and is not")
        }
      }
      expect(block.wideCount == markCount, "chunk \(chunk) keeps amounts that no lane marks")
    }
  }
}

// Predicates on coded texts: each distinct value is tested once, and the rows by their code.

import Columns
import Ledger

extension Lowering {
  func codes(_ column: CodeColumn, _ set: CodeSet) -> RowTest {
    set.isNothing ? .nothing : set.isEverything ? .everything : .codes(column, set)
  }

  /// The codes of `column` that `op operand` holds for.
  func codeSet(_ column: CodeColumn, _ op: FilterOperator, _ operand: Operand) throws(QueryStopped) -> CodeSet
  {
    let nulls: [UInt32] = column == .indicator || column == .identity ? [0] : []
    if op == .isNull { return CodeSet(nulls) }
    let test = TextTest(op, operand)
    switch test {
    case .nothing: return .nothing
    case .everything: return CodeSet(nulls, complement: true)
    case .equal(let text): return CodeSet(code(text, column).map { [$0] } ?? [])
    case .notEqual(let text):
      return CodeSet(nulls + (code(text, column).map { [$0] } ?? []), complement: true)
    case .member(let texts): return CodeSet(texts.compactMap { code($0, column) })
    case .range, .like: return try matchingCodes(column, test)
    }
  }

  /// The code of a text in a column, nil if no row has it.
  private func code(_ bytes: [UInt8], _ column: CodeColumn) -> UInt32? {
    let text = String(decoding: bytes, as: UTF8.self)
    func row(_ kind: EntityKind) -> UInt32? {
      Identifier(text, kind: kind).flatMap { reader.cut.row(kind, $0) }?.rawValue
    }
    return switch column {
    case .ledger: row(.ledger)
    case .currency: reader.books.currencies.code(of: text)
    case .indicator: reader.books.indicators.code(of: text)
    case .identity: row(.identity).map { $0 + 1 }
    case .source, .destination: row(.balance)
    }
  }

  /// The codes that a column may have in rows of the cut.
  private func allCodes(_ column: CodeColumn) -> Range<UInt32> {
    switch column {
    case .ledger: 0..<UInt32(reader.cut.ledgerCount)
    case .currency: 1..<UInt32(reader.books.currencies.count + 1)
    case .indicator: 1..<UInt32(reader.books.indicators.count + 1)
    case .identity: 1..<UInt32(reader.cut.identityCount + 1)
    case .source, .destination: 0..<UInt32(reader.cut.balanceCount)
    }
  }

  private func matchingCodes(_ column: CodeColumn, _ test: TextTest) throws(QueryStopped) -> CodeSet {
    let all = allCodes(column)
    var words = [UInt64](repeating: 0, count: Int(all.upperBound) / 64 + 1)
    for code in all {
      if code & 1023 == 0 { try stop.check() }
      if reader.withText(of: code, in: column, { test.matches($0) }) ?? false {
        words[Int(code >> 6)] |= 1 << UInt64(code & 63)
      }
    }
    return CodeSet(bits: words)
  }

  // MARK: Texts of a transaction's balances

  /// Currency and indicator of balances; and of transactions, whose balances have them. `neq` on `balance_id`
  /// means that neither balance is the one; any other condition is met when one of the two balances meets it.
  func balanceText(_ predicate: Predicate) throws(QueryStopped) -> RowTest {
    let (op, operand) = (predicate.op, predicate.operand)
    switch predicate.field.source {
    case .currency:
      let set = try codeSet(.currency, op, operand)
      if reader.table == .balances { return codes(.currency, set) }
      // Both balances have the transaction's currency.
      return codes(.source, try balances(.currency, in: set))
    case .eitherIndicator:
      let set = try balances(.indicator, in: try codeSet(.indicator, op, operand))
      return .disjunction([codes(.source, set), codes(.destination, set)])
    case .eitherBalance:
      let set = try codeSet(.source, op, operand)
      let both = [codes(.source, set), codes(.destination, set)]
      return op == .notEqual ? .conjunction(both) : .disjunction(both)
    default:
      return codes(.indicator, try codeSet(.indicator, op, operand))
    }
  }

  /// The rows of the balances whose code is in `set`, as a set of codes.
  private func balances(_ column: CodeColumn, in set: CodeSet) throws(QueryStopped) -> CodeSet {
    if set.isNothing || set.isEverything { return set }
    let balances = RowReader(cut: reader.cut, table: .balances)
    var scan = StripeScan(reader: balances, stop: stop)
    var words: [UInt64] = []
    for stripe in 0..<Layout.stripeCount(rows: balances.rowCount) {
      try scan.select(.codes(column, set), stripe: stripe)
      scan.appendWords(to: &words)
    }
    return CodeSet(bits: words)
  }
}

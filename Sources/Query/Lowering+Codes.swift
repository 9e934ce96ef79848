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
  func code(_ bytes: [UInt8], _ column: CodeColumn) -> UInt32? {
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

  private func matchingCodes(_ column: CodeColumn, _ test: TextTest) throws(QueryStopped) -> CodeSet {
    let matches = reader.texts?.matches ?? CodeMatches()
    let marks = try matches.marks(column, test, reader, stop)
    return CodeSet(marks: marks)
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
    let balances = RowReader(cut: reader.cut, table: .balances, texts: reader.texts)
    var scan = StripeScan(reader: balances, stop: stop)
    var words: [UInt64] = []
    for stripe in 0..<Layout.stripeCount(rows: balances.rowCount) {
      try scan.select(.codes(column, set), stripe: stripe)
      scan.appendWords(to: &words)
    }
    return CodeSet(bits: words)
  }
}

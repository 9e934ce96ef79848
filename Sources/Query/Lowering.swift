// From predicates to row tests: names become rows and codes, operands become sets.

import Amounts
import Columns
import Ledger

/// Resolves predicates against one cut.
struct Lowering {
  let reader: RowReader
  let stop: StopFlag

  private var books: Books { reader.books }

  /// The whole filter: its predicates combined, and that the row exists.
  func filter(_ request: QueryRequest) throws(QueryStopped) -> RowTest {
    var tests: [RowTest] = []
    for predicate in request.predicates { tests.append(try test(predicate)) }
    let combined: RowTest =
      switch request.combination {
      case .all: .conjunction(tests)
      case .any: tests.isEmpty ? .everything : .disjunction(tests)
      }
    return .conjunction([combined, reader.mayBeDeleted ? .exists : .everything])
  }

  /// One predicate.
  /// - Complexity: O(distinct values) for patterns and ranges on coded texts, O(balances) for fields that
  /// belong to
  ///   a transaction's balances, O(operand) for the rest.
  func test(_ predicate: Predicate) throws(QueryStopped) -> RowTest {
    let (op, operand) = (predicate.op, predicate.operand)
    switch predicate.field.source {
    case .identifier: return identifier(op, operand)
    case .createdAt: return integers(.createdAt, IntegerRanges(op, times: operand))
    case .metadata(let key):
      let test = MetadataTest(key: key, op, operand)
      return test.condition == .nothing ? .nothing : .metadata(test)
    case .ledger: return codes(.ledger, try codeSet(.ledger, op, operand))
    case .identity: return codes(.identity, try codeSet(.identity, op, operand))
    case .currency, .indicator, .eitherBalance, .eitherIndicator: return try balanceText(predicate)
    case .source: return codes(.source, try codeSet(.source, op, operand))
    case .destination: return codes(.destination, try codeSet(.destination, op, operand))
    case .credit: return amounts(.credit, op, operand)
    case .debit: return amounts(.debit, op, operand)
    case .balance: return amounts(.balance, op, operand)
    case .inflightCredit: return amounts(.inflightCredit, op, operand)
    case .inflightDebit: return amounts(.inflightDebit, op, operand)
    case .inflightBalance: return amounts(.inflightBalance, op, operand)
    case .preciseAmount: return amounts(.precise, op, operand)
    case .currencyMultiplier: return integers(.currencyMultiplier, integerRanges(op, operand))
    case .version: return integers(.version, integerRanges(op, operand))
    case .precision: return integers(.precision, integerRanges(op, operand))
    case .tracksFundLineage: return lineageFlag(op, operand)
    case .allocationStrategy:
      return flags(op, operand) { AllocationStrategy(rawValue: $0 >> 1 & 3)?.name }
    case .status: return flags(op, operand) { TransactionStatus(rawValue: $0 & 15)?.name }
    case .decimalAmount:
      let set = DecimalRanges(op, operand)
      return set.ranges.isEmpty ? .nothing : .decimal(set)
    case .effectiveDate:
      let set = IntegerRanges(op, times: operand)
      return set.isEmpty && op != .isNull ? .nothing : .effectiveDate(set, matchesNull: op == .isNull)
    case .reference: return reference(op, operand)
    case .description: return text(.description, op, operand)
    case .parent: return text(.parent, op, operand)
    case .record(let field): return text(.record(field), op, operand)
    }
  }

  // MARK: Numbers

  private func integers(_ column: IntegerColumn, _ set: IntegerRanges) -> RowTest {
    set.isEmpty ? .nothing : set.isEverything ? .everything : .integers(column, set)
  }

  private func integerRanges(_ op: FilterOperator, _ operand: Operand) -> IntegerRanges {
    AmountRanges(op, operand).integers(in: .min ... .max)
  }

  private func amounts(_ column: AmountColumn, _ op: FilterOperator, _ operand: Operand) -> RowTest {
    let set = AmountRanges(op, operand)
    return set == .nothing ? .nothing : set == .everything ? .everything : .amounts(column, set)
  }

  // MARK: Flags

  private func lineageFlag(_ op: FilterOperator, _ operand: Operand) -> RowTest {
    let wanted: Set<Bool>
    switch (op, operand) {
    case (.isNotNull, _): return .everything
    case (.equal, .boolean(let flag)): wanted = [flag]
    case (.notEqual, .boolean(let flag)): wanted = [!flag]
    case (.isIn, .list(let operands)):
      wanted = Set(operands.compactMap { if case .boolean(let flag) = $0 { flag } else { nil } })
    default: return .nothing
    }
    return flags { wanted.contains($0 & 1 != 0) }
  }

  /// Flags whose name passes.
  private func flags(
    _ op: FilterOperator, _ operand: Operand, name: (UInt8) -> StaticString?
  ) -> RowTest {
    let test = TextTest(op, operand)
    return flags { flags in
      guard let name = name(flags) else { return false }
      let text = Array(name.description.utf8)
      return test.matches(text.span)
    }
  }

  private func flags(_ isWanted: (UInt8) -> Bool) -> RowTest {
    var words = [UInt64](repeating: 0, count: 4)
    for value in UInt8.min ... .max where isWanted(value) {
      words[Int(value >> 6)] |= 1 << UInt64(value & 63)
    }
    return words == [0, 0, 0, 0] ? .nothing : .flags(words)
  }

  // MARK: Texts kept row by row

  private func text(_ column: TextColumn, _ op: FilterOperator, _ operand: Operand) -> RowTest {
    let test = TextTest(op, operand)
    return test == .nothing && op != .isNull ? .nothing : .text(column, test, matchesNull: op == .isNull)
  }

  private func identifier(_ op: FilterOperator, _ operand: Operand) -> RowTest {
    let kind = reader.identifiers.kind
    return uniqueText(.identifier, op, operand) { text in
      Identifier(text, kind: kind).flatMap { reader.cut.row(kind, $0) }
    }
  }

  private func reference(_ op: FilterOperator, _ operand: Operand) -> RowTest {
    uniqueText(.reference, op, operand) { text in
      guard let row = books.transactions.row(reference: text), row.index < reader.rowCount else { return nil }
      return row
    }
  }

  /// A text that is never null and that `find` knows the one row of.
  private func uniqueText(
    _ column: TextColumn, _ op: FilterOperator, _ operand: Operand, find: (String) -> RowIndex?
  ) -> RowTest {
    switch (op, operand) {
    case (.isNull, _): return .nothing
    case (.isNotNull, _): return .everything
    case (.equal, .text(let text)): return find(text).map { .rows([$0]) } ?? .nothing
    case (.notEqual, .text(let text)): return find(text).map { .otherRows([$0]) } ?? .everything
    case (.isIn, .list(let operands)):
      var rows: Set<RowIndex> = []
      for case .text(let text) in operands { if let row = find(text) { rows.insert(row) } }
      return rows.isEmpty ? .nothing : .rows(rows.sorted())
    default: return text(column, op, operand)
    }
  }
}

// The exact sort keys of rows, and what comes after a cursor.

import Amounts
import Columns
import Ledger

extension RowReader {
  /// The key that a row is sorted by.
  func sortKey(_ column: SortColumn, _ row: RowIndex) -> SortKey {
    switch column {
    case .integers(let column): .integer(integer(column, row))
    case .amounts(let column): .amount(amount(column, row))
    case .codes(let column): withText(of: code(column, row), in: column) { Self.textKey($0) } ?? .null
    case .transactionCurrency:
      withText(of: code(.currency, RowIndex(code(.source, row))), in: .currency) { Self.textKey($0) } ?? .null
    case .texts(let column): withText(column, row) { Self.textKey($0) } ?? .null
    case .strategy: .text(Array(books.balances.allocationStrategy(row).name.description.utf8))
    case .lineageFlag: .integer(books.balances.tracksFundLineage(row) ? 1 : 0)
    case .status: .text(Array(books.transactions.status(row).name.description.utf8))
    case .decimal:
      .quotient(decimal(row).precise, decimal(row).precision)
    case .effectiveDate: effectiveDate(row).map { .integer($0) } ?? .null
    case .metadata(let key): withMetadataText(key, row) { Self.textKey($0) } ?? .null
    }
  }

  private static func textKey(_ text: Span<UInt8>) -> SortKey {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    for place in text.indices { bytes.append(text[place]) }
    return .text(bytes)
  }

  /// Calls `body` with the text that a code stands for; nil for none.
  func withText<Result>(of code: UInt32, in column: CodeColumn, _ body: (Span<UInt8>) -> Result) -> Result? {
    switch column {
    case .ledger: withIdentifier(books.ledgers.identifiers, RowIndex(code), body)
    case .currency: code == 0 ? nil : withText(books.currencies, code, body)
    case .indicator: code == 0 ? nil : withText(books.indicators, code, body)
    case .identity: code == 0 ? nil : withIdentifier(books.identities.identifiers, RowIndex(code - 1), body)
    case .source, .destination: withIdentifier(books.balances.identifiers, RowIndex(code), body)
    }
  }

  /// Calls `body` with a metadata member as text; nil when it is missing or JSON null.
  func withMetadataText<Result>(
    _ key: [UInt8], _ row: RowIndex, _ body: (Span<UInt8>) -> Result
  ) -> Result? {
    withMetadata(row) { object -> Result? in
      guard let place = MetadataScanner.value(of: key, in: object) else { return nil }
      let member = MetadataMember(json: object.extracting(place))
      return member.kind == .null ? nil : member.withText(body)
    }
  }
}

/// Where the values that rows are sorted by come from.
enum SortColumn: Hashable, Sendable {
  case integers(IntegerColumn)
  case amounts(AmountColumn)
  /// By the text that the code stands for.
  case codes(CodeColumn)
  /// The currency of the balance that is debited.
  case transactionCurrency
  case texts(TextColumn)
  case strategy, lineageFlag, status
  case decimal, effectiveDate
  /// Member of the metadata as text, by its unescaped name.
  case metadata([UInt8])

  init(_ field: QueryField) {
    switch field.source {
    case .identifier: self = .texts(.identifier)
    case .createdAt: self = .integers(.createdAt)
    case .metadata(let key): self = .metadata(Array(key.utf8))
    case .ledger: self = .codes(.ledger)
    case .identity: self = .codes(.identity)
    case .indicator: self = .codes(.indicator)
    case .currency: self = field.table == .balances ? .codes(.currency) : .transactionCurrency
    case .credit: self = .amounts(.credit)
    case .debit: self = .amounts(.debit)
    case .balance: self = .amounts(.balance)
    case .inflightCredit: self = .amounts(.inflightCredit)
    case .inflightDebit: self = .amounts(.inflightDebit)
    case .inflightBalance: self = .amounts(.inflightBalance)
    case .currencyMultiplier: self = .integers(.currencyMultiplier)
    case .version: self = .integers(.version)
    case .tracksFundLineage: self = .lineageFlag
    case .allocationStrategy: self = .strategy
    case .parent: self = .texts(.parent)
    case .source: self = .codes(.source)
    case .destination: self = .codes(.destination)
    case .eitherBalance, .eitherIndicator: preconditionFailure("\(field.name) gives no order")
    case .reference: self = .texts(.reference)
    case .description: self = .texts(.description)
    case .status: self = .status
    case .preciseAmount: self = .amounts(.precise)
    case .decimalAmount: self = .decimal
    case .precision: self = .integers(.precision)
    case .effectiveDate: self = .effectiveDate
    case .record(let field): self = .texts(.record(field))
    }
  }
}

/// A place between two rows in an order: just behind a row with that key.
struct SortBoundary: Hashable, Sendable {
  let column: SortColumn
  let ascending: Bool
  let key: SortKey
  let row: RowIndex

  /// Whether `other` comes after it.
  func isBefore(_ other: RowIndex, _ reader: RowReader) -> Bool {
    let order = SortKey.order(key, reader.sortKey(column, other))
    if order != 0 { return (order < 0) == ascending }
    return ascending ? row < other : other < row
  }
}

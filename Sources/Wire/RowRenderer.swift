// Entities as JSON objects: members in the order of the protocol, straight into the answer.

import Amounts
import Columns
import Ledger
import Platform
import Query

/// Renders rows of one view, or of images that were taken of them.
package struct RowRenderer {
  private typealias Balance = EntityMembers.Balance
  private typealias Transaction = EntityMembers.Transaction

  let view: RowView
  let books: Books
  let fields: MemberSelection
  /// Memory for decimal texts.
  private var scratch: [UInt8] = []

  package init(_ view: RowView, fields: MemberSelection? = nil) {
    self.view = view
    books = view.books
    self.fields = fields ?? .all
  }

  /// Appends a row of a table; false, and nothing appended, when the row was deleted.
  package mutating func append(_ row: RowIndex, of table: QueryTable, into writer: inout JSONWriter) -> Bool {
    switch table {
    case .balances:
      writer.beginObject()
      balance(row, into: &writer)
      writer.endObject()
    case .transactions: transaction(row, into: &writer)
    case .ledgers: return ledger(row, into: &writer)
    case .identities: return identity(row, into: &writer)
    }
    return true
  }

  /// Appends the row at a place of a page; what changes is as it was when the images were taken.
  package mutating func append(_ place: Int, of images: PageImages, into writer: inout JSONWriter) {
    let row = images.rows[place]
    switch images.table {
    case .balances:
      writer.beginObject()
      let figures = images.figures[place]
      images.withBytes(place) { metadata in
        if fields == .all, !figures.isWide {
          wholeBalance(row, figures, metadata, into: &writer)
        } else {
          balance(row, images.balance(place), metadata, into: &writer)
        }
      }
      writer.endObject()
    case .transactions:
      images.withBytes(place) { metadata in
        transaction(row, replayed: false, metadata, into: &writer)
      }
    case .ledgers, .identities:
      let table = images.table == .ledgers ? books.ledgers : books.identities
      let record = images.withBytes(place) { bytes in
        unsafe bytes.withUnsafeBytes { unsafe EntityRecord($0, fieldCount: table.fieldCount) }
      }
      if images.table == .ledgers {
        ledger(row, record, into: &writer)
      } else {
        identity(row, record, into: &writer)
      }
    }
  }

  // MARK: Balances

  /// Appends the members of a balance, without brackets.
  func balance(_ row: RowIndex, into writer: inout JSONWriter) {
    books.balances.prefetch(row)
    let image = view.balance(row)
    balance(row, image, image.metadata.span, into: &writer)
  }

  private func balance(
    _ row: RowIndex, _ image: BalanceImage, _ metadata: Span<UInt8>, into writer: inout JSONWriter
  ) {
    let table = books.balances
    writer.reserve(640)
    if wants(Balance.balanceID) {
      writer.key("balance_id")
      writer.identifier(row, of: table.identifiers)
    }
    if wants(Balance.ledgerID) {
      writer.key("ledger_id")
      writer.identifier(RowIndex(table.ledgers[row]), of: books.ledgers.identifiers)
    }
    if wants(Balance.identityID) {
      writer.key("identity_id")
      if let identity = image.identity {
        writer.identifier(identity, of: books.identities.identifiers)
      } else {
        writer.null()
      }
    }
    if wants(Balance.indicator) {
      writer.key("indicator")
      writer.text(table.indicators[row], of: books.indicators)
    }
    if wants(Balance.currency) {
      writer.key("currency")
      writer.text(table.currencies[row], of: books.currencies)
    }
    totals(image, into: &writer)
    if wants(Balance.currencyMultiplier) {
      writer.key("currency_multiplier")
      writer.integer(table.multipliers[row])
    }
    if wants(Balance.version) {
      writer.key("version")
      writer.integer(image.version)
    }
    rest(row, metadata, into: &writer)
  }

  /// All members: commas and keys are written as one piece each, and room is reserved for many at once.
  private func wholeBalance(
    _ row: RowIndex, _ figures: BalanceFigures, _ metadata: Span<UInt8>, into writer: inout JSONWriter
  ) {
    let table = books.balances
    // What the pieces between two reservations take: values make room for themselves.
    writer.reserve(640)
    writer.piece(#""balance_id":"#)
    writer.identifier(row, of: table.identifiers)
    writer.reserve(320)
    writer.piece(#","ledger_id":"#)
    writer.identifier(RowIndex(table.ledgers[row]), of: books.ledgers.identifiers)
    writer.reserve(320)
    writer.piece(#","identity_id":"#)
    if figures.identity != 0 {
      writer.identifier(RowIndex(figures.identity - 1), of: books.identities.identifiers)
    } else {
      writer.null()
    }
    writer.reserve(64)
    writer.piece(#","indicator":"#)
    writer.text(table.indicators[row], of: books.indicators)
    writer.reserve(64)
    writer.piece(#","currency":"#)
    writer.text(table.currencies[row], of: books.currencies)
    // Six narrow amounts have 20 digits each at most.
    writer.reserve(640)
    writer.piece(#","balance":"#)
    writer.narrowAmount(figures.balance)
    writer.piece(#","credit_balance":"#)
    writer.narrowAmount(figures.credit)
    writer.piece(#","debit_balance":"#)
    writer.narrowAmount(figures.debit)
    writer.piece(#","inflight_balance":"#)
    writer.narrowAmount(figures.inflightCredit - figures.inflightDebit)
    writer.piece(#","inflight_credit_balance":"#)
    writer.narrowAmount(figures.inflightCredit)
    writer.piece(#","inflight_debit_balance":"#)
    writer.narrowAmount(figures.inflightDebit)
    writer.reserve(256)
    writer.piece(#","currency_multiplier":"#)
    writer.integer(table.multipliers[row])
    writer.piece(#","version":"#)
    writer.integer(figures.version)
    writer.reserve(256)
    if table.tracksFundLineage(row) {
      writer.piece(#","track_fund_lineage":true,"allocation_strategy":"#)
    } else {
      writer.piece(#","track_fund_lineage":false,"allocation_strategy":"#)
    }
    writer.plainString(table.allocationStrategy(row).name)
    writer.reserve(128)
    writer.piece(#","created_at":"#)
    writer.time(microseconds: table.createdAt[row])
    writer.reserve(32)
    writer.piece(#","meta_data":"#)
    writer.metadata(metadata)
  }

  @inline(__always)
  private func totals(_ image: BalanceImage, into writer: inout JSONWriter) {
    if wants(Balance.balance) {
      writer.key("balance")
      writer.amount(image.balance)
    }
    if wants(Balance.credit) {
      writer.key("credit_balance")
      writer.amount(image.credit)
    }
    if wants(Balance.debit) {
      writer.key("debit_balance")
      writer.amount(image.debit)
    }
    if wants(Balance.inflightBalance) {
      writer.key("inflight_balance")
      writer.amount(image.inflightBalance)
    }
    if wants(Balance.inflightCredit) {
      writer.key("inflight_credit_balance")
      writer.amount(image.inflightCredit)
    }
    if wants(Balance.inflightDebit) {
      writer.key("inflight_debit_balance")
      writer.amount(image.inflightDebit)
    }
  }

  @inline(__always)
  private func rest(_ row: RowIndex, _ metadata: Span<UInt8>, into writer: inout JSONWriter) {
    let table = books.balances
    if wants(Balance.tracksFundLineage) {
      writer.key("track_fund_lineage")
      writer.bool(table.tracksFundLineage(row))
    }
    if wants(Balance.allocationStrategy) {
      writer.key("allocation_strategy")
      writer.plainString(table.allocationStrategy(row).name)
    }
    if wants(Balance.createdAt) {
      writer.key("created_at")
      writer.time(microseconds: table.createdAt[row])
    }
    if wants(Balance.metadata) {
      writer.key("meta_data")
      writer.metadata(metadata)
    }
  }

  @inline(__always)
  private func wants(_ member: EntityMembers.Balance) -> Bool { fields.contains(member.rawValue) }

  // MARK: Transactions

  /// Appends a transaction.
  mutating func transaction(_ row: RowIndex, replayed: Bool = false, into writer: inout JSONWriter) {
    let metadata = wants(Transaction.metadata) ? view.transactionMetadata(row) : []
    transaction(row, replayed: replayed, metadata.span, into: &writer)
  }

  private mutating func transaction(
    _ row: RowIndex, replayed: Bool, _ metadata: Span<UInt8>, into writer: inout JSONWriter
  ) {
    let table = books.transactions
    let detail = table.detail(row)
    writer.reserve(896)
    writer.beginObject()
    if wants(Transaction.transactionID) {
      writer.key("transaction_id")
      writer.identifier(row, of: table.identifiers)
    }
    if wants(Transaction.parent) {
      writer.key("parent_transaction")
      if let batch = detail.batch {
        writer.identifier(EntityKind.batch.prefix, high: batch.high, low: batch.low)
      } else {
        writer.null()
      }
    }
    let source = RowIndex(table.sources[row])
    if wants(Transaction.source) {
      writer.key("source")
      writer.identifier(source, of: books.balances.identifiers)
    }
    if wants(Transaction.destination) {
      writer.key("destination")
      writer.identifier(RowIndex(table.destinations[row]), of: books.balances.identifiers)
    }
    if wants(Transaction.reference) {
      writer.key("reference")
      writer.string(detail.reference)
    }
    if wants(Transaction.currency) {
      writer.key("currency")
      writer.text(books.balances.currencies[source], of: books.currencies)
    }
    amounts(row, into: &writer)
    terms(row, detail, into: &writer)
    times(row, detail, metadata, into: &writer)
    if replayed {
      writer.key("replayed")
      writer.bool(true)
    }
    writer.endObject()
  }

  @inline(__always)
  private mutating func amounts(_ row: RowIndex, into writer: inout JSONWriter) {
    let table = books.transactions
    let precision = table.precisions[row]
    let amount = table.amount(row)
    if wants(Transaction.preciseAmount) {
      writer.key("precise_amount")
      writer.amount(amount)
    }
    if wants(Transaction.amount) {
      writer.key("amount")
      decimal(amount, precision, into: &writer)
    }
    if wants(Transaction.precision) {
      writer.key("precision")
      writer.integer(precision)
    }
    if wants(Transaction.status) {
      writer.key("status")
      writer.plainString(table.status(row).name)
    }
    if wants(Transaction.inflight) {
      writer.key("inflight")
      writer.bool(table.status(row) == .inflight)
    }
  }

  @inline(__always)
  private mutating func terms(_ row: RowIndex, _ detail: TransactionDetail, into writer: inout JSONWriter) {
    if wants(Transaction.description) {
      writer.key("description")
      writer.string(detail.description)
    }
    if wants(Transaction.allowOverdraft) {
      writer.key("allow_overdraft")
      writer.bool(books.transactions.allowsOverdraft(row))
    }
    if wants(Transaction.overdraftLimit) {
      writer.key("overdraft_limit")
      if let limit = detail.overdraftLimit {
        decimal(limit, books.transactions.precisions[row], into: &writer)
      } else {
        writer.null()
      }
    }
  }

  @inline(__always)
  private func times(
    _ row: RowIndex, _ detail: TransactionDetail, _ metadata: Span<UInt8>, into writer: inout JSONWriter
  ) {
    let table = books.transactions
    if wants(Transaction.effectiveDate) {
      writer.key("effective_date")
      writer.time(microseconds: detail.effectiveDate?.count)
    }
    if wants(Transaction.createdAt) {
      writer.key("created_at")
      writer.time(microseconds: table.createdAt[row])
    }
    // Schedules and expiring holds are of a later version: no transaction has these dates.
    if wants(Transaction.scheduledFor) {
      writer.key("scheduled_for")
      writer.null()
    }
    if wants(Transaction.inflightExpiryDate) {
      writer.key("inflight_expiry_date")
      writer.null()
    }
    if wants(Transaction.position) {
      writer.key("position")
      writer.integer(table.positions[row])
    }
    // Of transactions that are chained by hashes, which this version does not do.
    if wants(Transaction.hash) {
      writer.key("hash")
      writer.null()
    }
    if wants(Transaction.metadata) {
      writer.key("meta_data")
      writer.metadata(metadata)
    }
  }

  @inline(__always)
  private func wants(_ member: EntityMembers.Transaction) -> Bool { fields.contains(member.rawValue) }

  /// Appends minor units over precision as a decimal string.
  private mutating func decimal(_ amount: Amount, _ precision: Int64, into writer: inout JSONWriter) {
    if precision == 1 { return writer.amount(amount) }
    scratch.removeAll(keepingCapacity: true)
    DecimalAmount.appendDecimal(of: amount, precision: Amount(precision), to: &scratch)
    writer.string(scratch.span)
  }

  // MARK: Ledgers and identities

  /// Appends a ledger; false when it was deleted.
  func ledger(_ row: RowIndex, into writer: inout JSONWriter) -> Bool {
    guard let record = view.record(row, of: books.ledgers) else { return false }
    ledger(row, record, into: &writer)
    return true
  }

  private func ledger(_ row: RowIndex, _ record: EntityRecord, into writer: inout JSONWriter) {
    writer.beginObject()
    entity(row, books.ledgers, "ledger_id", record, into: &writer) { "\(LedgerField.allCases[$0])" }
    writer.endObject()
  }

  /// Appends an identity; false when it was deleted.
  func identity(_ row: RowIndex, into writer: inout JSONWriter) -> Bool {
    guard let record = view.record(row, of: books.identities) else { return false }
    identity(row, record, into: &writer)
    return true
  }

  private func identity(_ row: RowIndex, _ record: EntityRecord, into writer: inout JSONWriter) {
    writer.beginObject()
    entity(row, books.identities, "identity_id", record, into: &writer) {
      "\(IdentityField.allCases[$0].name)"
    }
    writer.endObject()
  }

  private func entity(
    _ row: RowIndex, _ table: EntityTable, _ idName: StaticString, _ record: EntityRecord,
    into writer: inout JSONWriter, _ fieldName: (Int) -> String
  ) {
    if fields.contains(0) {
      writer.key(idName)
      writer.identifier(row, of: table.identifiers)
    }
    for (number, text) in record.fields.enumerated() where fields.contains(1 + number) {
      writer.key(escaping: fieldName(number))
      writer.string(text)
    }
    if fields.contains(1 + record.fields.count) {
      writer.key("created_at")
      writer.time(microseconds: table.createdAt[row])
    }
    if fields.contains(2 + record.fields.count) {
      writer.key("meta_data")
      writer.metadata(record.metadata)
    }
  }
}

// Answers: one line each, written straight into the output of a connection.

import Columns
import Ledger
import Query

/// Writes answers. Each is one line with its `\n`; between `beginResult` and `endResult` goes one value.
package enum AnswerWriter {
  // MARK: The frame

  /// Where the id stands in every answer.
  static let idOffset = #"{"jsonrpc":"2.0","id":"#.utf8.count

  /// Begins an answer: exactly one value must follow, then `endResult`.
  package static func beginResult(_ id: RequestID, into writer: inout JSONWriter) {
    writer.reserve(64)
    writer.raw(#"{"jsonrpc":"2.0","id":"#)
    writer.value(id.json.utf8.span)
    writer.raw(#","result":"#)
  }

  /// Ends an answer.
  /// - Parameter position: for requests that ask for it by `meta`.
  package static func endResult(position: UInt64?, into writer: inout JSONWriter) {
    if let position {
      writer.key("position")
      writer.integer(position)
    }
    writer.raw("}\n")
  }

  /// Writes an error answer.
  package static func error(_ error: WireError, _ id: RequestID, into writer: inout JSONWriter) {
    writer.raw(#"{"jsonrpc":"2.0","id":"#)
    writer.value(id.json.utf8.span)
    writer.raw(#","error":"#)
    object(of: error, into: &writer)
    writer.raw("}\n")
  }

  static func object(of error: WireError, into writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("code")
    writer.integer(error.code.rawValue)
    writer.key("message")
    writer.string(error.message)
    writer.key("data")
    writer.beginObject()
    writer.key("code")
    writer.string(error.dataCode)
    for member in error.members {
      writer.key(escaping: member.name)
      writer.value(member.json.utf8.span)
    }
    writer.endObject()
    writer.endObject()
  }

  // MARK: Writes

  /// Writes the answer to a command that was carried out: its rows as they stand now.
  package static func execution(
    _ execution: Execution, _ reply: WriteReply, _ id: RequestID, books: Books, wantsMeta: Bool,
    into writer: inout JSONWriter
  ) {
    let mark = writer.count
    beginResult(id, into: &writer)
    var renderer = RowRenderer(.current(books))
    var isThere = true
    switch execution.outcome {
    case .ledger(let row): isThere = renderer.ledger(row, into: &writer)
    case .identity(let row): isThere = renderer.identity(row, into: &writer)
    case .identityDeleted(let row):
      writer.beginObject()
      writer.key("identity_id")
      writer.identifier(row, of: books.identities.identifiers)
      writer.key("deleted")
      writer.bool(true)
      writer.endObject()
    case .balance(let row): isThere = renderer.append(row, of: .balances, into: &writer)
    case .balances(let items): balances(items, books, into: &writer)
    case .metadata(let kind, let row):
      writer.beginObject()
      writer.key("meta_data")
      writer.metadata(metadata(kind, row, renderer.view))
      writer.endObject()
    case .transaction(let item):
      renderer.transaction(item.row, replayed: item.replayed || execution.replayed, into: &writer)
    case .transactions(let batch, let items):
      transactions(batch, items, execution.replayed, reply, &renderer, into: &writer)
    }
    if isThere { return endResult(position: wantsMeta ? execution.position : nil, into: &writer) }
    // Another request has deleted it since.
    writer.rewind(to: mark)
    error(WireError.notFound("IDT_NOT_FOUND", "the identity has been deleted since"), id, into: &writer)
  }

  private static func metadata(_ kind: EntityKind, _ row: RowIndex, _ view: RowView) -> [UInt8] {
    switch kind {
    case .balance: view.balance(row).metadata
    case .transaction: view.transactionMetadata(row)
    case .ledger: view.record(row, of: view.books.ledgers)?.metadata ?? []
    case .identity: view.record(row, of: view.books.identities)?.metadata ?? []
    case .batch: []
    }
  }

  /// `{"created":2,"balance_ids":[…,null,…],"errors":[{"index":1,"error":{…}}]}`; errors only if any.
  private static func balances(_ items: [ItemOutcome], _ books: Books, into writer: inout JSONWriter) {
    var refusals: [(Int, Refusal)] = []
    var created = 0
    for (index, item) in items.enumerated() {
      switch item {
      case .done(let item): created += item.replayed ? 0 : 1
      case .refused(let refusal): refusals.append((index, refusal))
      }
    }
    writer.beginObject()
    writer.key("created")
    writer.integer(created)
    writer.key("balance_ids")
    writer.beginArray()
    for item in items {
      switch item {
      case .done(let item): writer.identifier(item.row, of: books.balances.identifiers)
      case .refused: writer.null()
      }
    }
    writer.endArray()
    if !refusals.isEmpty {
      writer.key("errors")
      writer.beginArray()
      for (index, refusal) in refusals { self.refused(refusal, index, "balances", into: &writer) }
      writer.endArray()
    }
    writer.endObject()
  }

  private static func transactions(
    _ batch: Identifier, _ items: [ItemOutcome], _ isReplay: Bool, _ reply: WriteReply,
    _ renderer: inout RowRenderer, into writer: inout JSONWriter
  ) {
    let created = items.count {
      if case .done(let item) = $0 { !item.replayed } else { false }
    }
    writer.beginObject()
    writer.key("batch_id")
    writer.string(batch.text(kind: .batch))
    writer.key("created")
    writer.integer(created)
    writer.key("results")
    writer.beginArray()
    for (index, item) in items.enumerated() {
      switch item {
      case .refused(let refusal): refused(refusal, index, "transactions", into: &writer)
      case .done(let item):
        let isReplay = item.replayed || isReplay
        switch reply.itemReply {
        case .none: continue
        case .ids: posted(item.row, isReplay, renderer.books, into: &writer)
        case .full: renderer.transaction(item.row, replayed: isReplay, into: &writer)
        }
      }
    }
    writer.endArray()
    writer.endObject()
  }

  @inline(__always)
  private static func posted(
    _ row: RowIndex, _ isReplay: Bool, _ books: Books, into writer: inout JSONWriter
  ) {
    writer.beginObject()
    writer.key("transaction_id")
    writer.identifier(row, of: books.transactions.identifiers)
    if isReplay {
      writer.key("replayed")
      writer.bool(true)
    }
    writer.endObject()
  }

  private static func refused(
    _ refusal: Refusal, _ index: Int, _ items: String, into writer: inout JSONWriter
  ) {
    writer.beginObject()
    writer.key("index")
    writer.integer(index)
    writer.key("error")
    object(of: WireError(item: refusal, index: index, items: items), into: &writer)
    writer.endObject()
  }

  // MARK: One row

  /// What a read of one row has shown.
  package struct Sight {
    /// Whether the row was found.
    package var isFound: Bool
    /// Position of the last fact that was seen, or of a later one: until it is committed, the answer tells
    /// what a crash may undo.
    package var position: UInt64
  }

  /// Writes the answer to a read of one row, or the error that there is no such row.
  @discardableResult
  package static func read(
    _ call: ReadCall, _ view: RowView, _ id: RequestID, position: UInt64? = nil,
    into writer: inout JSONWriter
  ) -> Sight {
    let mark = writer.count
    beginResult(id, into: &writer)
    var seen: UInt64 = 0
    if let missing = value(of: call, view, &seen, into: &writer) {
      writer.rewind(to: mark)
      error(missing, id, into: &writer)
      return Sight(isFound: false, position: seen)
    }
    endResult(position: position, into: &writer)
    return Sight(isFound: true, position: seen)
  }

  /// Appends the row; the error when there is none. `seen` becomes the position of what was seen, asked for
  /// after it was.
  private static func value(
    of call: ReadCall, _ view: RowView, _ seen: inout UInt64, into writer: inout JSONWriter
  ) -> WireError? {
    var renderer = RowRenderer(view)
    switch call {
    case .ledger(let identifier):
      guard let row = view.row(.ledger, identifier) else { break }
      let isThere = renderer.ledger(row, into: &writer)
      seen = view.latestChange(.ledger, row)
      return isThere ? nil : missing(call)
    case .identity(let identifier):
      guard let row = view.row(.identity, identifier) else { break }
      let isThere = renderer.identity(row, into: &writer)
      seen = view.latestChange(.identity, row)
      return isThere ? nil : missing(call)
    case .balance(let identifier, let includesIdentity, let includesLedger):
      guard let row = view.row(.balance, identifier) else { break }
      writer.beginObject()
      renderer.balance(row, into: &writer)
      if includesIdentity {
        let identity = includeIdentity(row, renderer, into: &writer)
        if let identity { seen = max(seen, view.latestChange(.identity, identity)) }
      }
      if includesLedger {
        let ledger = RowIndex(view.books.balances.ledgers[row])
        writer.key("ledger")
        _ = renderer.ledger(ledger, into: &writer)
        seen = max(seen, view.latestChange(.ledger, ledger))
      }
      writer.endObject()
      seen = max(seen, view.latestChange(.balance, row))
      return nil
    case .balanceByIndicator(let indicator, let currency):
      guard let row = view.balanceRow(indicator: indicator, currency: currency) else { break }
      _ = renderer.append(row, of: .balances, into: &writer)
      seen = view.latestChange(.balance, row)
      return nil
    case .transaction(let identifier):
      guard let row = view.row(.transaction, identifier) else { break }
      renderer.transaction(row, into: &writer)
      seen = view.latestChange(.transaction, row)
      return nil
    case .transactionByReference(let reference):
      guard let row = view.transactionRow(reference: reference) else { break }
      renderer.transaction(row, into: &writer)
      seen = view.latestChange(.transaction, row)
      return nil
    }
    return missing(call)
  }

  /// That there is no such row.
  private static func missing(_ call: ReadCall) -> WireError {
    switch call {
    case .ledger(let identifier): .missing(.ledger, identifier.text(kind: .ledger))
    case .identity(let identifier): .missing(.identity, identifier.text(kind: .identity))
    case .balance(let identifier, _, _): .missing(.balance, identifier.text(kind: .balance))
    case .transaction(let identifier): .missing(.transaction, identifier.text(kind: .transaction))
    case .balanceByIndicator(let indicator, let currency):
      .notFound(
        "BAL_NOT_FOUND", "no balance has the indicator \(indicator) in \(currency)",
        [WireError.Member("indicator", text: indicator), WireError.Member("currency", text: currency)])
    case .transactionByReference(let reference):
      .notFound(
        "TXN_NOT_FOUND", "no transaction has the reference \(reference)",
        [WireError.Member("reference", text: reference)])
    }
  }

  /// - Returns: the identity that was shown.
  private static func includeIdentity(
    _ row: RowIndex, _ renderer: RowRenderer, into writer: inout JSONWriter
  ) -> RowIndex? {
    writer.key("identity")
    let identity = renderer.view.balance(row).identity
    if identity.map({ renderer.identity($0, into: &writer) }) != true { writer.null() }
    return identity
  }
}

// Imports against a server in the same process that refuses what it is told to refuse.

import LedgerlineClient
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Commands

/// Books that take balances, refuse the currency BAD in its item, and whole batches with a member `boom`.
private final class FakeBooks: Sendable {
  struct State {
    var created: [String] = []
    var keys: [String: String] = [:]
    var busyLeft = 0
    /// The connection breaks instead of the answer to this request.
    var breakAt = Int.max
    var requests = 0
  }

  let state = Mutex(State())

  func answer(_ request: JSONNode) -> [String]? {
    state.withLock { state in
      state.requests += 1
      let id = request["id"]!.text
      let start = #"{"jsonrpc":"2.0","id":\#(id),"#
      if state.busyLeft > 0 {
        state.busyLeft -= 1
        return [
          start + #""error":{"code":-32004,"message":"busy","data":{"code":"BUSY","retry_after_ms":1}}}"#
        ]
      }
      if let key = request["key"]?.string, let outcome = state.keys[key] {
        return [start + #""result":\#(outcome)}"#]
      }
      let items = request["params"]?["balances"]?.array ?? []
      if let place = items.firstIndex(where: { $0["boom"] != nil }) {
        let text = "balances[\(place)]: unknown member boom"
        return [
          start + #""error":{"code":-32602,"message":"\#(text)","#
            + #""data":{"code":"GEN_VALIDATION_ERROR","errors":["\#(text)"]}}}"#
        ]
      }
      var errors: [String] = []
      for (index, item) in items.enumerated() {
        if item["currency"]?.string == "BAD" {
          errors.append(
            #"{"index":\#(index),"error":{"code":-32003,"message":"bad","data":{"code":"BAD"}}}"#
          )
        } else {
          state.created.append(item["balance_id"]?.string ?? "?")
        }
      }
      let outcome = #"{"created":0,"balance_ids":[],"errors":[\#(errors.joined(separator: ","))]}"#
      if let key = request["key"]?.string { state.keys[key] = outcome }
      return state.requests == state.breakAt ? nil : [start + #""result":\#(outcome)}"#]
    }
  }
}

/// Imports `lines` and tells what became of them.
private func imported(
  _ lines: [String], into books: FakeBooks, batch: Int, from start: ImportProgress? = nil
) throws -> (progress: ImportProgress, faults: [Int], texts: Set<String>, error: (any Error)?) {
  let directory = try TemporaryDirectory()
  let path = directory.path + "/in.ndjson"
  try FileReplacement.replace(path, with: Array(lines.map { $0 + "\n" }.joined().utf8))
  var progress = start ?? ImportProgress(id: "x", entity: .balances, batchSize: batch, byteCount: 0)
  var faults: [Int] = []
  var texts: Set<String> = []
  var broken: (any Error)?
  try withTestServer {
    books.answer($0)
  } _: { client in
    var source = try ImportSource(path: path, format: .ndjson)
    let importer = Importer(
      client, progress,
      reportFault: { line, text in
        faults.append(line)
        texts.insert(text)
      },
      advance: { kept, _ in progress = kept })
    do { progress = try importer.run(&source) } catch { broken = error }
  }
  return (progress, faults.sorted(), texts, broken)
}

private func line(_ index: Int, _ more: String = "") -> String {
  #"{"balance_id":"bln_\#(index)","ledger_id":"ldg_1","currency":"USD","balance":"5"\#(more)}"#
}

@Test(arguments: [1, 2, 3, 7, 10, 100])
func faultyLinesAreToldAndTheOthersImported(batch: Int) throws {
  var lines = (1...40).map { line($0) }
  lines[4] = #"{"balance_id":"bln_5","currency":"BAD"}"#
  lines[11] = "no JSON"
  lines[12] = ""
  lines[20] = line(21, #","boom":1"#)
  lines[21] = line(22, #","boom":1"#)
  lines[39] = "[]"
  let books = FakeBooks()
  books.state.withLock { $0.busyLeft = 2 }
  let outcome = try imported(lines, into: books, batch: batch)
  #expect(outcome.error == nil)
  #expect(outcome.faults == [5, 12, 21, 22, 40])
  #expect(
    outcome.texts.contains("unknown member boom (GEN_VALIDATION_ERROR)"), "without a place in the batch")
  #expect(outcome.progress.records == 39 && outcome.progress.created == 34 && outcome.progress.failed == 5)
  let expected = (1...40).filter { ![5, 12, 13, 21, 22, 40].contains($0) }.map { "bln_\($0)" }
  #expect(books.state.withLock { $0.created.sorted() } == expected.sorted())
}

@Test(arguments: 1...6)
func brokenImportGoesOnWithoutMakingAnythingTwice(breakAt: Int) throws {
  let lines = (1...100).map { line($0) }
  let books = FakeBooks()
  books.state.withLock { $0.breakAt = breakAt }
  let first = try imported(lines, into: books, batch: 20)
  if breakAt <= 5 {
    #expect(first.error as? ClientError != nil)
    #expect(first.progress.records == (breakAt - 1) * 20)
  }
  books.state.withLock { $0.breakAt = .max }
  let second = try imported(lines, into: books, batch: 20, from: first.progress)
  #expect(second.error == nil && second.progress.records == 100 && second.progress.failed == 0)
  #expect(books.state.withLock { $0.created } == (1...100).map { "bln_\($0)" })
}

@Test func progressFileIsReadBack() throws {
  var progress = ImportProgress(id: "abc", entity: .transactions, batchSize: 10, byteCount: 99)
  progress.records = 30
  progress.created = 28
  progress.failed = 2
  #expect(ImportProgress(progress.text) == progress)
  for text in ["", "{}", "[]", #"{"version":2}"#, progress.text.replacing("transactions", with: "x")] {
    #expect(ImportProgress(text) == nil)
  }
}

@Test func exportedObjectsBecomeCreationsWithoutWhatTheServerComputes() throws {
  let balance = try JSONNode.parse(
    #"{"balance_id":"b","ledger_id":"l","indicator":null,"currency":"USD","balance":"5","version":3,"meta_data":{}}"#
  )
  #expect(
    BookEntity.balances.creation(from: balance.members!).map(\.name)
      == ["balance_id", "ledger_id", "currency", "meta_data"])
  let transaction = try JSONNode.parse(
    #"{"transaction_id":"t","source":"a","destination":"b","reference":"r","currency":"USD","precise_amount":"500","#
      + #""amount":"5","precision":100,"status":"APPLIED","inflight":false,"hash":"x","description":null}"#)
  #expect(
    BookEntity.transactions.creation(from: transaction.members!).map(\.name)
      == ["transaction_id", "source", "destination", "reference", "currency", "precise_amount", "precision"])
  let ledger = try JSONNode.parse(#"{"ledger_id":"l","name":"n","created_at":"2020-01-01T00:00:00Z"}"#)
  #expect(
    BookEntity.ledgers.creation(from: ledger.members!).map(\.name) == ["ledger_id", "name", "created_at"])
}

@Test(arguments: [
  (["source", "destination", "currency"], BookEntity?.some(.transactions)),
  (["ledger_id", "currency"], .balances),
  (["identity_id"], .identities), (["name"], .ledgers), (["x"], nil),
])
func kindIsToldByTheMembers(names: [String], kind: BookEntity?) {
  #expect(BookEntity.detect(Set(names)) == kind)
}

@Test func csvColumnsHaveTheirTypes() throws {
  let directory = try TemporaryDirectory()
  let path = directory.path + "/in.csv"
  let text =
    "balance_id,currency_multiplier,track_fund_lineage,meta_data,indicator\r\n"
    + "b1,100,true,\"{\"\"a\"\": [1]}\",\r\nb2,x,,,\r\nb3,1\r\nb4,,,,\"\"\r\n"
  try FileReplacement.replace(path, with: Array(text.utf8))
  var source = try ImportSource(path: path, format: .csv)
  let first = try #require(try source.next())
  #expect(first.line == 2)
  #expect(
    JSONNode.object(try first.content.get()).text
      == #"{"balance_id":"b1","currency_multiplier":100,"track_fund_lineage":true,"meta_data":{"a":[1]}}"#)
  let second = try #require(try source.next())
  #expect(throws: CommandFailure(.ownError, "currency_multiplier: \"x\" is not a whole number")) {
    try second.content.get()
  }
  let third = try #require(try source.next())
  #expect(throws: CommandFailure(.ownError, "2 fields; the header has 5")) { try third.content.get() }
  let fourth = try #require(try source.next())
  #expect(JSONNode.object(try fourth.content.get()).text == #"{"balance_id":"b4","indicator":""}"#)
  let end = try source.next()
  #expect(end == nil)
}

@Test func rowsWrittenAsCSVAreReadBack() throws {
  var writer = RowWriter(format: .csv)
  let row = try JSONNode.parse(
    #"{"balance_id":"b\",\n1","indicator":null,"currency_multiplier":3,"track_fund_lineage":false,"meta_data":{"k":"v"}}"#
  )
  let text = writer.text(row)
  let directory = try TemporaryDirectory()
  let path = directory.path + "/out.csv"
  try FileReplacement.replace(path, with: Array(text.utf8))
  var source = try ImportSource(path: path, format: .csv)
  let record = try #require(try source.next())
  #expect(try record.content.get() == row.members!.filter { $0.value != .null })
}

@Test func exportFiltersAreFieldAndOperator() throws {
  func text(_ word: String) throws -> String { try ExportCommand.filter(word, of: .balances).text }
  #expect(try text("currency_eq=USD") == #"{"field":"currency","operator":"eq","value":"USD"}"#)
  #expect(
    try text("created_at_gte=2024-01-01") == #"{"field":"created_at","operator":"gte","value":"2024-01-01"}"#)
  #expect(try text("ledger_id_in=a,b") == #"{"field":"ledger_id","operator":"in","values":["a","b"]}"#)
  #expect(try text("meta_data.k_isnotnull=") == #"{"field":"meta_data.k","operator":"isnotnull"}"#)
  #expect(throws: CommandFailure.self) { try text("currency=USD") }
}

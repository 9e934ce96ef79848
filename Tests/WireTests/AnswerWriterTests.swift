// Answers: batches, replays, partial refusals, streams.

import Columns
import Ledger
import Query
import Testing

@testable import Wire

@Suite struct AnswerWriterTests {
  private func prepared() -> Conversation {
    var conversation = Conversation()
    _ = conversation.answer(#"{"id":1,"method":"ledgers.create","params":{"ledger_id":"ldg_a","name":"A"}}"#)
    _ = conversation.answer(
      #"{"id":1,"method":"balances.create_many","params":{"balances":["#
        + #"{"balance_id":"bln_a","ledger_id":"ldg_a","currency":"USD"},"#
        + #"{"balance_id":"bln_b","ledger_id":"ldg_a","currency":"USD"}]}}"#)
    return conversation
  }

  private static func item(_ reference: String, _ source: String = "@World", _ rest: String = "") -> String {
    #"{"transaction_id":"txn_\#(reference)","source":"\#(source)","destination":"bln_b","currency":"USD","#
      + #""precise_amount":5,"allow_overdraft":\#(source == "@World"),"reference":"\#(reference)"\#(rest)}"#
  }

  @Test func aBatchThatIsNotAtomicHasAnOutcomeForEachItem() {
    var conversation = prepared()
    let items = [Self.item("a"), Self.item("b", "bln_a"), Self.item("c")].joined(separator: ",")
    let answer =
      conversation.answer(
        #"{"id":1,"method":"transactions.create_many","params":{"transactions":[\#(items)]}}"#) ?? ""
    #expect(
      answer.contains(#""created":2,"results":[{"transaction_id":"txn_a"},{"index":1,"error":{"code":-32003"#)
    )
    #expect(answer.hasSuffix(#"{"transaction_id":"txn_c"}]}}"#))
    #expect(answer.contains(#""path":"/params/transactions/1/source""#))
  }

  @Test func aRepeatedReferenceIsAReplay() {
    var conversation = prepared()
    let request = #"{"id":1,"method":"transactions.create","params":\#(Self.item("a"))}"#
    let first = conversation.answer(request) ?? ""
    let second = conversation.answer(request) ?? ""
    #expect(!first.contains("replayed"))
    #expect(second == first.dropLast(2) + #","replayed":true}}"#)
    let both =
      conversation.answer(
        #"{"id":1,"method":"transactions.create_many","params":{"return":"none","transactions":["#
          + Self.item("a") + "]}}") ?? ""
    #expect(both.hasSuffix(#""created":0,"results":[]}}"#), "\(both)")
  }

  @Test func aRepeatedKeyAnswersWithTheFirstOutcome() {
    var conversation = prepared()
    let request = #"{"id":1,"key":"k","method":"ledgers.create","params":{"name":"B"}}"#
    #expect(conversation.answer(request) == conversation.answer(request))
    let other =
      conversation.answer(#"{"id":1,"key":"k","method":"ledgers.create","params":{"name":"C"}}"#) ?? ""
    #expect(other.contains("KEY_REUSED"))
  }

  @Test func aBatchOfRequestsIsAnsweredInOrderWithoutItsNotifications() {
    var conversation = prepared()
    let answer = conversation.answer(
      #"[{"id":"x","method":"server.ping"},{"method":"server.ping"},{"id":2,"method":"nothing.here"}]"#)
    #expect(
      answer
        == #"[{"jsonrpc":"2.0","id":"x","result":"pong"},{"jsonrpc":"2.0","id":2,"error":{"code":-32601,"#
        + #""message":"no such method: nothing.here","data":{"code":"METHOD_NOT_FOUND"}}}]"#)
    #expect(conversation.answer(#"[{"method":"server.ping"}]"#) == nil)
  }

  @Test func metadataIsMergedInPlace() {
    var conversation = prepared()
    func merge(_ patch: String) -> String {
      conversation.answer(
        #"{"id":1,"method":"metadata.update","params":{"id":"bln_a","meta_data":\#(patch)}}"#) ?? ""
    }
    #expect(merge(#"{"a":1,"b":{"c":[ 1 ]}}"#).hasSuffix(#""result":{"meta_data":{"a":1,"b":{"c":[1]}}}}"#))
    #expect(
      merge(#"{"c":"x","\u0061":2.0}"#).hasSuffix(#"{"meta_data":{"\u0061":2.0,"b":{"c":[1]},"c":"x"}}}"#))
    #expect(merge(#"{"b":null,"z":null}"#).hasSuffix(#"{"meta_data":{"\u0061":2.0,"c":"x"}}}"#))
    #expect(merge(#"{"a":null,"c":null}"#).hasSuffix(#"{"meta_data":{}}}"#))
    let full = String(repeating: "x", count: 60_000)
    _ = merge(#"{"big":"\#(full)"}"#)
    #expect(merge(#"{"more":"\#(full)"}"#).contains("meta_data would have 120020 bytes; at most 65536"))
  }

  @Test func streamLinesStayBelowTheirLimit() throws {
    var conversation = prepared()
    let long = String(repeating: "y", count: 30_000)
    for number in 0..<4 {
      _ = conversation.answer(
        #"{"id":1,"method":"ledgers.create","params":{"ledger_id":"ldg_\#(number)","name":"x","#
          + #""meta_data":{"t":"\#(long)"}}}"#)
    }
    let cut = conversation.books.cut()
    let rows = try QueryEngine().run(QueryRequest(table: .ledgers, limit: nil), on: cut, stop: StopFlag())
      .rows
    var left = rows[...]
    var sequence = 0
    var seen = 0
    while !left.isEmpty {
      var writer = JSONWriter()
      let count = AnswerWriter.streamLine(
        left, of: .ledgers, QueryReply(), RequestID(json: "9"), sequence: sequence, cut: cut, into: &writer)
      let line = writer.text()
      #expect(count >= 1 && line.utf8.count <= AnswerWriter.streamLineLimit)
      #expect(
        line.hasPrefix(#"{"jsonrpc":"2.0","method":"stream","params":{"id":9,"seq":\#(sequence),"rows":[{"#))
      var document = JSONDocument()
      try document.parse(copying: String(line.dropLast()))
      let listed = document.root!["params"]!["rows"]!.count
      #expect(listed == count)
      left = left.dropFirst(count)
      sequence += 1
      seen += count
    }
    #expect(seen == 6 && sequence == 4)
    var writer = JSONWriter()
    AnswerWriter.streamEnd(
      rows.count, QueryTail(), QueryReply(), RequestID(json: "9"), position: 3, into: &writer)
    let end = writer.text()
    #expect(end == #"{"jsonrpc":"2.0","id":9,"result":{"count":6},"position":3}"# + "\n")
  }

  @Test func whatHasBeenDeletedIsNotFound() {
    var conversation = prepared()
    let create = #"{"id":1,"key":"k","method":"identities.create","params":{"identity_id":"idt_a"}}"#
    _ = conversation.answer(create)
    _ = conversation.answer(#"{"id":1,"method":"identities.delete","params":{"identity_id":"idt_a"}}"#)
    let get =
      conversation.answer(#"{"id":1,"method":"identities.get","params":{"identity_id":"idt_a"}}"#) ?? ""
    #expect(get.contains("IDT_NOT_FOUND"))
    let replay = conversation.answer(create) ?? ""
    #expect(replay.contains("IDT_NOT_FOUND"), "\(replay)")
  }
}

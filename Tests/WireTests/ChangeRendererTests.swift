// Changes against the answers of the methods that made them.

import Foundation
import Ledger
import Testing

@testable import Wire

@Suite struct ChangeRendererTests {
  /// The changes of the facts that were made since the last call, one JSON text each.
  private func changes(_ conversation: borrowing Conversation) throws -> [String] {
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let drained = unsafe bytes.withUnsafeMutableBytes { unsafe conversation.log.drain(into: $0) }
    var renderer = ChangeRenderer(conversation.books)
    var changes: [String] = []
    var place = 0
    while place < drained.byteCount {
      let (position, fact, endsCommand, byteCount) = unsafe try bytes.withUnsafeBytes { bytes in
        let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[place...])
        let head = unsafe try RecordHead(rest)
        let record = unsafe UnsafeRawBufferPointer(rebasing: rest[..<head.recordByteCount])
        let (position, fact) = unsafe try Fact.decode(record)
        return (position, fact, head.endsUnit, head.recordByteCount)
      }
      var writer = JSONWriter()
      renderer.append(fact, at: position, endsCommand: endsCommand, into: &writer)
      changes.append(writer.text())
      place += byteCount
    }
    return changes
  }

  private func object(_ json: String) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any], "\(json)")
  }

  /// Carries out a request and gives its result as a text, and the changes that it made.
  private func run(
    _ method: String, _ params: String, _ envelope: String = "", _ conversation: inout Conversation
  ) throws -> (result: String, changes: [String]) {
    let answer = conversation.answer(#"{"id":1,"method":"\#(method)","params":\#(params)\#(envelope)}"#) ?? ""
    let head = #"{"jsonrpc":"2.0","id":1,"result":"#
    #expect(answer.hasPrefix(head), "\(method): \(answer)")
    return (String(answer.dropFirst(head.count).dropLast()), try changes(conversation))
  }

  @Test func whatIsCreatedReadsAsItsMethodShowedIt() throws {
    var conversation = Conversation()
    let requests = [
      (
        "ledgers.create", #"{"name":"Caf\u00e9 \"7\"","meta_data":{"a":[1,2.50,"x\u0000"]}}"#,
        "ledger.created"
      ),
      ("ledgers.create", #"{"ledger_id":"ldg_a","name":"A","created_at":"2020-02-29"}"#, "ledger.created"),
      (
        "identities.create",
        #"{"identity_id":"idt_ann","first_name":"Ann","dob":"1990-01-01","meta_data":{"k":null}}"#,
        "identity.created"
      ),
      (
        "balances.create",
        #"{"balance_id":"bln_a","ledger_id":"ldg_a","currency":"USD","identity_id":"idt_ann","#
          + #""currency_multiplier":100,"track_fund_lineage":true,"allocation_strategy":"LIFO","#
          + #""meta_data":{"x":1}}"#,
        "balance.created"
      ),
      (
        "balances.create", #"{"ledger_id":"general_ledger_id","currency":"USD","indicator":"@World"}"#,
        "balance.created"
      ),
      (
        "transactions.create",
        #"{"source":"@World","destination":"bln_a","currency":"USD","amount":"12.345","precision":1000,"#
          + #""reference":"r-1","description":"d \u2028","overdraft_limit":"99999999999999999999999999","#
          + #""effective_date":"2024-05-06T07:08:09.5Z","meta_data":{"long":"0123456789"}}"#,
        "transaction.applied"
      ),
      (
        "transactions.create",
        #"{"transaction_id":"txn_own","source":"bln_a","destination":"@World","currency":"USD","precise_amount":1,"#
          + #""reference":"r-2"}"#,
        "transaction.applied"
      ),
    ]
    _ = try changes(conversation)
    for (method, params, type) in requests {
      let (result, changes) = try run(method, params, "", &conversation)
      #expect(changes.count == 1)
      let change = try object(changes[0])
      #expect(change["type"] as? String == type)
      #expect(change["end_of_command"] as? Bool == true)
      #expect(change["time"] as? String == "2025-01-01T00:00:00Z")
      #expect(changes[0].contains(#""object":\#(result),"end_of_command""#), "\(changes[0])\n\(result)")
    }
  }

  @Test func changesOfWhatIsThereSayWhatHasChanged() throws {
    var conversation = Conversation()
    _ = try run("ledgers.create", #"{"ledger_id":"ldg_a","name":"A"}"#, "", &conversation)
    _ = try run("identities.create", #"{"identity_id":"idt_a","first_name":"A"}"#, "", &conversation)
    _ = try run("identities.create", #"{"identity_id":"idt_b"}"#, "", &conversation)
    _ = try run(
      "balances.create", #"{"balance_id":"bln_a","ledger_id":"ldg_a","currency":"EUR"}"#, "", &conversation)
    let requests = [
      ("ledgers.update", #"{"ledger_id":"ldg_a","name":"B"}"#, #"{"ledger_id":"ldg_a","name":"B"}"#),
      (
        "balances.update_identity", #"{"balance_id":"bln_a","identity_id":"idt_a"}"#,
        #"{"balance_id":"bln_a","identity_id":"idt_a"}"#
      ),
      (
        "metadata.update", #"{"id":"bln_a","meta_data":{"b":2,"a":1}}"#,
        #"{"id":"bln_a","meta_data":{"b":2,"a":1}}"#
      ),
      ("metadata.update", #"{"id":"bln_a","meta_data":{"b":null}}"#, #"{"id":"bln_a","meta_data":{"a":1}}"#),
      ("metadata.update", #"{"id":"ldg_a","meta_data":{"z":""}}"#, #"{"id":"ldg_a","meta_data":{"z":""}}"#),
      ("metadata.update", #"{"id":"idt_a","meta_data":{}}"#, #"{"id":"idt_a","meta_data":{}}"#),
      ("identities.delete", #"{"identity_id":"idt_b"}"#, #"{"identity_id":"idt_b"}"#),
    ]
    let types = [
      "ledger.updated", "balance.identity_updated", "metadata.updated", "metadata.updated",
      "metadata.updated",
      "metadata.updated", "identity.deleted",
    ]
    for ((method, params, expected), type) in zip(requests, types) {
      let (_, changes) = try run(method, params, "", &conversation)
      #expect(changes.count == 1, "\(method)")
      #expect(changes.last?.contains(#""type":"\#(type)","object":\#(expected),"#) == true, "\(changes)")
    }
  }

  @Test func anUpdatedIdentityShowsEveryFieldAsItIsFromThenOn() throws {
    var conversation = Conversation()
    _ = try run(
      "identities.create", #"{"identity_id":"idt_a","first_name":"A","city":"X"}"#, "", &conversation)
    let (result, changes) = try run(
      "identities.update", #"{"identity_id":"idt_a","city":null,"country":"NG"}"#, "", &conversation)
    var whole = try object(result)
    whole["created_at"] = nil
    whole["meta_data"] = nil
    let last = try #require(changes.last)
    let shown = try #require(object(last)["object"] as? NSDictionary)
    #expect(shown == whole as NSDictionary)
  }

  @Test func theFactsOfACommandStandTogetherAndOnlyTheLastOneEndsIt() throws {
    var conversation = Conversation()
    _ = try run("ledgers.create", #"{"ledger_id":"ldg_a","name":"A"}"#, "", &conversation)
    _ = try run(
      "balances.create", #"{"balance_id":"bln_a","ledger_id":"ldg_a","currency":"EUR"}"#, "", &conversation)
    let (result, changes) = try run(
      "transactions.create_many",
      #"{"atomic":false,"transactions":["#
        + #"{"source":"@new","destination":"bln_a","currency":"EUR","precise_amount":5,"reference":"a","#
        + #""allow_overdraft":true},"#
        + #"{"source":"bln_none","destination":"bln_a","currency":"EUR","precise_amount":5,"reference":"b"},"#
        + #"{"source":"bln_a","destination":"@new","currency":"EUR","precise_amount":5,"reference":"c"}]}"#,
      #","key":"k\"1""#, &conversation)
    let parsed = try changes.map { try object($0) }
    #expect(
      parsed.compactMap { $0["type"] as? String } == [
        "balance.created", "transaction.applied", "transaction.applied", "key.remembered",
      ])
    #expect(parsed.compactMap { $0["end_of_command"] as? Bool } == [false, false, false, true])
    let first = try #require(parsed[0]["position"] as? Int)
    #expect(parsed.compactMap { $0["position"] as? Int } == Array(first..<first + 4))
    let batch = try object(result)
    let ids = parsed[1...2].compactMap { ($0["object"] as? [String: Any])?["transaction_id"] as? String }
    let expected: NSDictionary = [
      "key": "k\"1", "batch_id": batch["batch_id"] as? String ?? "",
      "transaction_ids": [ids[0], NSNull(), ids[1]] as [Any],
    ]
    #expect(parsed[3]["object"] as? NSDictionary == expected)
  }
}

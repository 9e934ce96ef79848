// Requests that are right: the envelope, params and what they become.

import Amounts
import Ledger
import Platform
import Query
import Testing

@testable import Wire

@Suite struct RequestDecoderTests {
  private func decode(_ line: String) throws -> DecodedRequest {
    var decoder = RequestDecoder()
    guard case .single(let request) = decoder.decode(copying: line) else {
      throw WireError(.internalError, "", "no single request: \(line)")
    }
    return request
  }

  private func query(_ line: String) throws -> (QueryRequest, QueryReply) {
    guard case .query(let query, let reply) = try decode(line).call.get() else {
      throw WireError(.internalError, "", "no query: \(line)")
    }
    return (query, reply)
  }

  @Test(arguments: ["1", "-0", "1.50", "1e400", #""a\u00e9\n""#, "123456789012345678901234567890", "null"])
  func idsAreEchoedAsTheyWereWritten(id: String) throws {
    let request = try decode(#"{"method":"server.ping","id":\#(id)}"#)
    #expect(request.id?.json == id)
    var writer = JSONWriter()
    AnswerWriter.error(.cancelled, RequestID(json: id), into: &writer)
    let answer = writer.text()
    #expect(answer.contains(#""id":\#(id),"#))
  }

  @Test func aRequestWithoutIdIsANotification() throws {
    #expect(try decode(#"{"method":"server.ping"}"#).id == nil)
  }

  @Test func theEnvelopeMayStandBesideParamsOrInMeta() throws {
    let members = #""timeout_ms":1500,"key":"k1","min_position":7,"meta":true"#
    let beside = try decode(
      #"{"id":1,\#(members),"method":"ledgers.create","params":{"name":"x"},"more":[1]}"#)
    let within = try decode(
      #"{"id":1,"method":"ledgers.create","params":{"_meta":{\#(members)},"name":"x"}}"#)
    for request in [beside, within] {
      #expect(request.timeout == .milliseconds(1500))
      #expect(request.key == "k1")
      #expect(request.minimumPosition == 7)
      #expect(request.wantsMeta)
      #expect(!request.wantsStream)
    }
    #expect(digest(beside) == digest(within))
    #expect(digest(beside) != 0)
  }

  private func digest(_ request: DecodedRequest) -> UInt64? {
    guard case .success(.write(_, let reply)) = request.call else { return nil }
    return reply.paramsDigest
  }

  @Test func theDigestOfAKeyDependsOnMethodAndParams() throws {
    let one = try decode(#"{"id":1,"key":"k","method":"ledgers.create","params":{"name":"x"}}"#)
    let other = try decode(#"{"id":1,"key":"k","method":"ledgers.create","params":{"name":"y"}}"#)
    #expect(digest(one) != digest(other))
  }

  @Test func keysAndNamesMayBeWrittenWithEscapes() throws {
    let request = try decode(
      #"{"id":1,"m\u0065thod":"balances\u002eget","params":{"balance_\u0069d":"bln_\u0061"}}"#)
    guard case .read(.balance(let id, _, _)) = try request.call.get() else {
      Issue.record("\(request.call)")
      return
    }
    #expect(id == .custom("bln_a"))
  }

  @Test(arguments: [
    (#""precise_amount":"00012""#, "12", 1), (#""precise_amount":12"#, "12", 1),
    (#""amount":"1.005","precision":100"#, "101", 100), (#""precision":100,"amount":0.29"#, "29", 100),
    (#""amount":12"#, "12", 1), (#""amount":"0.5""#, "1", 1), (#""amount":"2.50","precision":10"#, "25", 10),
    (
      #""amount":null,"precise_amount":"170141183460469231731687303715884105728""#,
      "170141183460469231731687303715884105728", 1
    ),
  ])
  func amountsAreExact(members: String, minorUnits: String, precision: Int64) throws {
    let request = try decode(
      #"{"id":1,"method":"transactions.create","params":{"source":"@a","destination":"bln_b","currency":"USD","#
        + #""reference":"r",\#(members),"inflight":false,"sources":null,"overdraft_limit":"0.5"}}"#)
    guard case .write(.postTransaction(let new), _) = try request.call.get() else {
      Issue.record("\(request.call)")
      return
    }
    #expect("\(new.amount)" == minorUnits)
    #expect(new.precision == precision)
    #expect(new.source == .indicator("@a"))
    #expect(new.overdraftLimit == DecimalAmount.half.scaled(by: Amount(precision)))
  }

  @Test func metadataIsKeptWithoutBlanks() throws {
    let request = try decode(
      #"{"id":1,"method":"ledgers.create","params":{"name":"x","meta_data": { "b" : 1.0 , "a":" \u0041 "} }}"#
    )
    guard case .write(.createLedger(let new), _) = try request.call.get() else {
      Issue.record("\(request.call)")
      return
    }
    #expect(String(decoding: new.metadata, as: UTF8.self) == #"{"b":1.0,"a":" \u0041 "}"#)
  }

  @Test func aListAndAFilterOfTheSameConditionsAreOneQuery() throws {
    let (list, _) = try query(
      #"{"id":1,"method":"balances.list","params":{"currency_in":"USD, EUR","balance_between":"1|5","#
        + #""created_at_gte":"2024-01-01","indicator_isnull":false,"version_eq":3,"meta_data.a_b_eq":"x"}}"#)
    let (filter, _) = try query(
      #"{"id":1,"method":"balances.filter","params":{"filters":[{"field":"currency","operator":"in","values":"#
        + #"["USD","EUR"]},{"field":"balance","operator":"between","values":[1,"5"]},{"field":"created_at","#
        + #""operator":"gte","value":"2024-01-01"},{"field":"indicator","operator":"isnotnull"},"#
        + #"{"field":"version","operator":"eq","value":"3"},"#
        + #"{"field":"meta_data.a_b","operator":"eq","value":"x"}]}}"#)
    #expect(list.predicates == filter.predicates)
    #expect(list.limit == 20 && filter.limit == 20)
    #expect(list.sort == nil && list.combination == .all)
  }

  @Test func aDateAloneIsItsWholeDay() throws {
    let (query, _) = try query(#"{"id":1,"method":"balances.list","params":{"created_at_eq":"1970-01-02"}}"#)
    #expect(query.predicates[0].operand == .time(TimeRange(start: 86_400_000_000, end: 172_800_000_000)))
  }

  @Test func nullsMatchNothing() throws {
    let (query, _) = try query(
      #"{"id":1,"method":"balances.filter","params":{"filters":[{"field":"indicator","operator":"eq"},"#
        + #"{"field":"currency","operator":"in","values":[null,"USD"]},"#
        + #"{"field":"balance","operator":"between","values":[null,5]}]}}"#)
    #expect(query.predicates.map(\.operand) == [.null, .list([.text("USD")]), .null])
  }

  @Test func streamsMayBeOfAnyLength() throws {
    let (all, _) = try query(#"{"id":1,"stream":true,"method":"balances.filter","params":{"filters":[]}}"#)
    #expect(all.limit == nil)
    let (many, _) = try query(
      #"{"id":1,"stream":true,"method":"balances.filter","params":{"filters":[],"limit":5000}}"#)
    #expect(many.limit == 5000)
  }

  @Test func aCursorIsOnlyForItsOwnRequest() throws {
    var conversation = Conversation()
    for name in ["a", "b", "c"] {
      _ = conversation.answer(
        #"{"id":1,"method":"ledgers.create","params":{"ledger_id":"ldg_\#(name)","name":"x"}}"#)
    }
    let page = #""fields":["ledger_id"],"limit":3,"include_count":true"#
    let first =
      conversation.answer(#"{"id":1,"method":"ledgers.list","params":{\#(page),"cursor":null}}"#) ?? ""
    let cursor = try #require(first.split(separator: #""next_cursor":""#).last?.split(separator: "\"").first)
    #expect(first.contains(#""data":[{"ledger_id":"ldg_c"},{"ledger_id":"ldg_b"},{"ledger_id":"ldg_a"}]"#))
    let second =
      conversation.answer(#"{"id":1,"method":"ledgers.list","params":{\#(page),"cursor":"\#(cursor)"}}"#)
      ?? ""
    #expect(
      second.hasSuffix(#"{"data":[{"ledger_id":"general_ledger_id"}],"total_count":4,"next_cursor":null}}"#),
      "\(second)")
    let foreign =
      conversation.answer(
        #"{"id":1,"method":"ledgers.list","params":{"sort_by":"name","cursor":"\#(cursor)"}}"#) ?? ""
    #expect(foreign.contains("the cursor was given out for another filter or order"), "\(foreign)")
  }

  @Test func manyAndLongFaultsAreCountedNotExplained() throws {
    let long = String(repeating: "n", count: 1 << 18)
    let members = (0..<50_000).map { #""m\#($0)":1"# }.joined(separator: ",")
    let request = try decode(#"{"id":1,"method":"server.ping","params":{"\#(long)":1,\#(members)}}"#)
    guard case .failure(let error) = request.call else {
      Issue.record("accepted")
      return
    }
    let errors = try #require(error.members.first { $0.name == "errors" })
    #expect(errors.json.hasSuffix(#""and 49901 more"]"#), "\(errors.json.suffix(80))")
    #expect(errors.json.utf8.count < 20_000)
  }

  @Test func bothEnginesDecodeAlike() throws {
    var fast = RequestDecoder()
    var slow = RequestDecoder(engine: .scanner)
    for line in [
      #"{"id":1,"method":"balances.get","params":{"balance_id":"x"}}"#, "{", "[]", #"{"a":1,"a":2}"#,
    ] {
      var writers = [JSONWriter().text(), ""]
      writers[0] = Self.errorText(fast.decode(copying: line))
      writers[1] = Self.errorText(slow.decode(copying: line))
      #expect(writers[0] == writers[1] && !writers[0].isEmpty)
    }
  }

  private static func errorText(_ line: DecodedLine) -> String {
    switch line {
    case .failure(let error, _): error.message
    case .single(let request):
      if case .failure(let error) = request.call { error.message } else { "" }
    case .batch: ""
    }
  }

  // MARK: Questions

  private func question(_ line: String) throws -> QuestionCall {
    guard case .question(let call) = try decode(line).call.get() else {
      throw WireError(.internalError, "", "no question: \(line)")
    }
    return call
  }

  @Test func membersOfAnAggregateComeInAnyOrder() throws {
    let members = [
      #""metrics":["sum:balance","count"]"#, #""group_by":["currency","created_at:month"]"#,
      #""having":[{"value":2,"operator":"gte","metric":"count"}]"#, #""sort_by":"sum:balance""#,
      #""sort_order":"asc""#, #""limit":7"#,
    ]
    let sum = try #require(Metric.named("sum:balance", in: .balances))
    let expected = AggregateRequest(
      table: .balances,
      groupBy: try ["currency", "created_at:month"].map {
        try #require(GroupColumn.named($0, in: .balances))
      },
      metrics: [sum, .count],
      having: [HavingCondition(metric: 1, .count, .greaterOrEqual, .amount(Amount(2)))],
      order: .metric(0, ascending: true), limit: 7)
    for turn in members.indices {
      let params = (members[turn...] + members[..<turn]).joined(separator: ",")
      let call = try question(#"{"id":1,"method":"balances.aggregate","params":{\#(params)}}"#)
      guard case .groups(let request) = call else { preconditionFailure("an aggregate") }
      #expect(request == expected, "\(params)")
    }
  }

  @Test func theOrderOfGroupsIsAscendingUnlessAMetricOrColumnIsNamed() throws {
    func order(_ more: String) throws -> GroupOrder {
      let params = #"{"metrics":["count"],"group_by":["currency"]\#(more)}"#
      let call = try question(#"{"id":1,"method":"balances.aggregate","params":\#(params)}"#)
      guard case .groups(let request) = call else { preconditionFailure("an aggregate") }
      return request.order
    }
    #expect(try order("") == .columns(ascending: true))
    #expect(try order(#","sort_order":"desc""#) == .columns(ascending: false))
    #expect(try order(#","sort_by":"currency""#) == .column(0, ascending: false))
    #expect(try order(#","sort_by":"count","sort_order":"asc""#) == .metric(0, ascending: true))
    #expect(try order(#","sort_by":null"#) == .columns(ascending: true))
  }

  @Test func questionsOfABatchAreOfEitherKindAndTable() throws {
    let call = try question(
      #"{"id":1,"method":"balances.query","params":{"explain":true,"queries":["#
        + #"{"name":"a","filters":[]},{"metrics":["count"]},{"method":"aggregate","metrics":["count"]},"#
        + #"{"table":"transactions","filters":[],"limit":3},"#
        + #"{"table":"transactions","metrics":["sum:precise_amount"]}]}}"#)
    guard case .batch(let batch) = call else { preconditionFailure("a batch") }
    #expect(batch.explains)
    #expect(batch.members.map(\.name) == ["a", nil, nil, nil, nil])
    #expect(
      batch.members.map(\.question.table) == [
        .balances, .balances, .balances, .transactions, .transactions,
      ])
    let kinds = batch.members.map { if case .rows = $0.question { "rows" } else { "groups" } }
    #expect(kinds == ["rows", "groups", "groups", "rows", "groups"])
  }
}

extension DecimalAmount {
  fileprivate static var half: DecimalAmount {
    guard let half = try? DecimalAmount("0.5") else { preconditionFailure("0.5 is a decimal") }
    return half
  }
}

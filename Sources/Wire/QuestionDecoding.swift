// Params of `balances.query` and `balances.explain`: questions of either kind, of either table.

import Query

/// Members of a question beside those of its filter or aggregate.
enum QuestionMember: String, NameSet {
  case name, method
  case asked = "table"

  static let table = MemberTable<QuestionMember>()
}

/// Members of `balances.query`.
enum BatchMember: String, NameSet {
  case queries, explain

  static let table = MemberTable<BatchMember>()
}

extension ParamsReader {
  /// The questions of a batch, nil if something is wrong with any of them.
  mutating func questions(_ params: JSONValue) -> QuestionBatch? {
    var batch = QuestionBatch(members: [], explains: false)
    var members = params.members
    while let member = members.next() {
      switch BatchMember.table[member.key] {
      case .queries: batch.members = questions(in: member.value)
      case .explain: batch.explains = boolean(member.value, "explain") ?? false
      case nil: unknown(member.key, BatchMember.self)
      }
    }
    if (params["queries"]?.kind ?? .null) == .null { faults.addMissing("queries", in: params.offset) }
    return faults.isEmpty ? batch : nil
  }

  private mutating func questions(in list: JSONValue) -> [QuestionBatch.Member] {
    if list.kind == .null { return [] }
    guard list.kind == .array else {
      wrong(list, "queries", "an array of queries")
      return []
    }
    guard (1...WireLimit.questions).contains(list.count) else {
      faults.add(
        "queries has \(list.count) entries; 1 to \(WireLimit.questions) are accepted", at: list.offset)
      return []
    }
    var questions: [QuestionBatch.Member] = []
    var rowCount = 0
    var elements = list.elements
    while let element = elements.next() {
      guard element.kind == .object else {
        faults.add("a query must be an object, found \(Self.shown(element))", at: element.offset)
        continue
      }
      guard let member = question(element) else { continue }
      if case .rows(let request) = member.question { rowCount += request.limit ?? 0 }
      questions.append(member)
    }
    if rowCount > WireLimit.batchRows {
      faults.add(
        "queries ask for \(rowCount) rows together; at most \(WireLimit.batchRows) are accepted",
        at: list.offset)
    }
    return questions
  }

  /// One question with its name, nil if something is wrong with it or was with one before it.
  mutating func question(_ params: JSONValue) -> QuestionBatch.Member? {
    var name: String?
    if let given = params["name"] { name = text(given, "name", limit: WireLimit.nameBytes) }
    let isAggregate = asksForGroups(params)
    let table = questionTable(params)
    if isAggregate {
      return aggregate(params, table, isMember: true).map {
        QuestionBatch.Member(name: name, question: .groups($0), reply: QueryReply())
      }
    }
    guard case .query(let request, let reply) = filter(params, table, isStream: false, isMember: true) else {
      return nil
    }
    return QuestionBatch.Member(name: name, question: .rows(request), reply: reply)
  }

  /// By `method`; without it, whether there is a member that only aggregates have.
  private mutating func asksForGroups(_ params: JSONValue) -> Bool {
    let guess = params["metrics"] != nil || params["group_by"] != nil || params["having"] != nil
    guard let method = params["method"], method.kind != .null else { return guess }
    if method.equals("aggregate") { return true }
    if method.equals("filter") { return false }
    let allowed = ["filter", "aggregate"]
    faults.add(
      "invalid method: \(Self.bare(method))", at: method.offset, allowed: allowed,
      didYouMean: method.string().flatMap { UnknownName.nearest(to: $0, among: allowed) })
    return guess
  }

  private mutating func questionTable(_ params: JSONValue) -> QueryTable {
    guard let table = params["table"], table.kind != .null else { return .balances }
    if table.equals("balances") { return .balances }
    if table.equals("transactions") { return .transactions }
    let allowed = ["balances", "transactions"]
    faults.add(
      "invalid table: \(Self.bare(table))", at: table.offset, allowed: allowed,
      didYouMean: table.string().flatMap { UnknownName.nearest(to: $0, among: allowed) })
    return .balances
  }

  /// A member that a question does not have; its own members are read elsewhere.
  mutating func unknown<Name: NameSet>(_ key: JSONValue, _ names: Name.Type, isMember: Bool) {
    if !isMember { return unknown(key, names) }
    if QuestionMember.table[key] != nil { return }
    unknown(key, allowed: (names.allCases.map(\.rawValue)) + QuestionMember.allCases.map(\.rawValue))
  }
}

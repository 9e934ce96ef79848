// Params of the aggregate methods as one question for groups.

import Query

/// Members of an aggregate method.
enum AggregateMember: String, NameSet {
  case filters
  case logicalOperator = "logical_operator"
  case groupBy = "group_by"
  case metrics, having
  case sortBy = "sort_by"
  case sortOrder = "sort_order"
  case limit

  static let table = MemberTable<AggregateMember>()
}

/// Members of one condition on groups.
enum HavingMember: String, NameSet {
  case metric
  case condition = "operator"
  case value, values

  static let table = MemberTable<HavingMember>()
}

extension ParamsReader {
  /// The question of an aggregate method, nil if something is wrong.
  /// - Parameter isMember: it is one question of several, with members of its own beside the aggregate's.
  mutating func aggregate(
    _ params: JSONValue, _ table: QueryTable, isMember: Bool = false
  ) -> AggregateRequest? {
    var request = AggregateRequest(table: table, metrics: [])
    var isAscending: Bool?
    var members = params.members
    while let member = members.next() {
      switch AggregateMember.table[member.key] {
      case .filters: request.predicates = conditions(member.value, table)
      case .logicalOperator: request.combination = combination(member.value) ?? .all
      case .groupBy: request.groupBy = groupColumns(member.value, table)
      case .metrics: request.metrics = metrics(member.value, table)
      case .sortOrder: isAscending = sortOrder(member.value)
      case .limit: request.limit = groupLimit(member.value)
      case .having, .sortBy: continue
      case nil:
        unknown(member.key, AggregateMember.self, isMember: isMember)
      }
    }
    // What names metrics comes after them, whatever the order on the line.
    if (params["metrics"]?.kind ?? .null) == .null { faults.addMissing("metrics", in: params.offset) }
    if let having = params["having"] { request.having = conditions(onGroups: having, request.metrics) }
    if let isAscending { request.order = .columns(ascending: isAscending) }
    if let name = params["sort_by"], name.kind != .null {
      request.order = groupOrder(name, request, ascending: isAscending ?? false) ?? request.order
    }
    return faults.isEmpty ? request : nil
  }

  // MARK: Names

  /// The elements of an array of names, each at most once.
  private mutating func distinctNames<Value: Hashable>(
    _ list: JSONValue, _ name: StaticString, limit: Int, _ what: String, allowed: [String],
    _ find: (String) -> Value?
  ) -> [Value] {
    if list.kind == .null { return [] }
    guard list.kind == .array else {
      wrong(list, "\(name)", "an array of names")
      return []
    }
    if list.count > limit {
      faults.add("\(name) has \(list.count) entries; at most \(limit) are accepted", at: list.offset)
      return []
    }
    var found: [Value] = []
    var elements = list.elements
    while let element = elements.next() {
      let text = element.string()
      guard let value = text.flatMap(find) else {
        if faults.isFull {
          faults.leaveOut()
          continue
        }
        faults.add(
          "invalid \(what): \(Self.bare(element))", at: element.offset, allowed: allowed,
          didYouMean: text.flatMap { UnknownName.nearest(to: $0, among: allowed) })
        continue
      }
      if found.contains(value) {
        faults.add("\(name) has \(Self.bare(element)) twice", at: element.offset)
      } else {
        found.append(value)
      }
    }
    return found
  }

  private mutating func groupColumns(_ list: JSONValue, _ table: QueryTable) -> [GroupColumn] {
    distinctNames(
      list, "group_by", limit: AggregateRequest.groupColumnLimit, "group_by field",
      allowed: GroupColumn.all(in: table).map(\.name)
    ) { GroupColumn.named($0, in: table) }
  }

  private mutating func metrics(_ list: JSONValue, _ table: QueryTable) -> [Metric] {
    if list.kind == .array, list.count == 0 {
      faults.add("metrics needs at least one entry", at: list.offset)
      return []
    }
    return distinctNames(
      list, "metrics", limit: WireLimit.metrics, "metric", allowed: Metric.all(in: table).map(\.name)
    ) { Metric.named($0, in: table) }
  }

  private mutating func groupLimit(_ value: JSONValue) -> Int? {
    if value.kind == .null { return nil }
    if let limit = value.int64(), limit >= 1, limit <= WireLimit.groups { return Int(limit) }
    faults.add("limit must be between 1 and \(WireLimit.groups)", at: value.offset)
    return nil
  }

  private mutating func groupOrder(
    _ value: JSONValue, _ request: AggregateRequest, ascending: Bool
  ) -> GroupOrder? {
    let name = value.string()
    if let name, let index = request.groupBy.firstIndex(where: { $0.name == name }) {
      return .column(index, ascending: ascending)
    }
    if let name, let index = request.metrics.firstIndex(where: { $0.name == name }) {
      return .metric(index, ascending: ascending)
    }
    // Metrics and columns that are wrong themselves have been told of.
    let allowed = request.groupBy.map(\.name) + request.metrics.map(\.name)
    faults.add(
      "invalid sort field: \(Self.bare(value)); it must be one of group_by or metrics", at: value.offset,
      allowed: allowed, didYouMean: name.flatMap { UnknownName.nearest(to: $0, among: allowed) })
    return nil
  }

  // MARK: Conditions on groups

  private mutating func conditions(onGroups list: JSONValue, _ metrics: [Metric]) -> [HavingCondition] {
    if list.kind == .null { return [] }
    guard list.kind == .array else {
      wrong(list, "having", "an array of conditions")
      return []
    }
    if list.count > WireLimit.filters {
      faults.add(
        "having has \(list.count) entries; at most \(WireLimit.filters) are accepted", at: list.offset)
      return []
    }
    var conditions: [HavingCondition] = []
    var elements = list.elements
    while let element = elements.next() {
      if element.kind != .object {
        faults.add("a having condition must be an object, found \(Self.shown(element))", at: element.offset)
      } else if let condition = condition(element, metrics) {
        conditions.append(condition)
      }
    }
    return conditions
  }

  private mutating func condition(_ condition: JSONValue, _ metrics: [Metric]) -> HavingCondition? {
    var metric: Int?
    var op: FilterOperator?
    var operatorOffset = condition.offset
    var seen: Set<HavingMember> = []
    var members = condition.members
    while let member = members.next() {
      guard let name = HavingMember.table[member.key] else {
        unknown(member.key, HavingMember.self)
        continue
      }
      if member.value.kind != .null { seen.insert(name) }
      switch name {
      case .metric: metric = self.metric(member.value, metrics)
      case .condition:
        operatorOffset = member.value.offset
        op = filterOperator(member.value)
      case .value, .values: continue
      }
    }
    if !seen.contains(.metric) { faults.addMissing("metric", in: condition.offset) }
    if !seen.contains(.condition) { faults.addMissing("operator", in: condition.offset) }
    guard let metric, let op else { return nil }
    let compared = ComparedValue(metrics[metric])
    guard allow(op, compared, at: operatorOffset) else { return nil }
    return conditionOperand(condition, compared, op).map {
      HavingCondition(metric: metric, metrics[metric], op, $0)
    }
  }

  private mutating func metric(_ value: JSONValue, _ metrics: [Metric]) -> Int? {
    if value.kind == .null { return nil }
    let name = value.string()
    if let name, let index = metrics.firstIndex(where: { $0.name == name }) { return index }
    let allowed = metrics.map(\.name)
    faults.add(
      "invalid having metric: \(Self.bare(value)); it must be one of metrics", at: value.offset,
      allowed: allowed, didYouMean: name.flatMap { UnknownName.nearest(to: $0, among: allowed) })
    return nil
  }
}

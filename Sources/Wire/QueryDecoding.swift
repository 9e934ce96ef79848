// Params of the filter and list methods as one query.

import Ledger
import Query

/// Members of a filter method.
enum FilterMember: String, NameSet {
  case filters
  case logicalOperator = "logical_operator"
  case sortBy = "sort_by"
  case sortOrder = "sort_order"
  case limit, offset, cursor
  case includeCount = "include_count"
  case fields

  static let table = MemberTable<FilterMember>()
}

/// Members of one condition.
enum ConditionMember: String, NameSet {
  case field
  case condition = "operator"
  case value, values

  static let table = MemberTable<ConditionMember>()
}

/// The members of a query read so far.
private struct QueryDraft {
  let table: QueryTable
  let isStream: Bool
  var predicates: [Predicate] = []
  var combination = Combination.all
  var sortField: QueryField?
  var isAscending = false
  var hasOrder = false
  var limit: Int?
  var offset = 0
  var includeCount = false
  var cursor: Cursor?
  var cursorOffset = 0
  var wantsCursor = false
  var fields: MemberSelection?
}

extension ParamsReader {
  /// The query of a filter method, nil if something is wrong.
  /// - Parameter isMember: it is one question of several, with members of its own beside the filter's.
  mutating func filter(
    _ params: JSONValue, _ table: QueryTable, isStream: Bool, isMember: Bool = false
  ) -> Call? {
    var draft = QueryDraft(table: table, isStream: isStream)
    var hasFilters = false
    var members = params.members
    while let member = members.next() {
      switch FilterMember.table[member.key] {
      case .filters:
        hasFilters = member.value.kind != .null
        draft.predicates = conditions(member.value, table)
      case .some(let name): read(name, member.value, into: &draft)
      case nil:
        unknown(member.key, FilterMember.self, isMember: isMember)
      }
    }
    if !hasFilters { faults.addMissing("filters", in: params.offset) }
    return finish(draft)
  }

  /// The query of a list method, nil if something is wrong.
  mutating func list(_ params: JSONValue, _ table: QueryTable, isStream: Bool) -> Call? {
    var draft = QueryDraft(table: table, isStream: isStream)
    var members = params.members
    while let member = members.next() {
      if let name = FilterMember.table[member.key], name != .filters {
        read(name, member.value, into: &draft)
      } else {
        readCondition(member, into: &draft)
      }
    }
    if draft.predicates.count > WireLimit.filters { addTooMany(draft.predicates.count, at: params.offset) }
    return finish(draft)
  }

  private mutating func addTooMany(_ count: Int, at offset: Int) {
    faults.add("filters has \(count) entries; at most \(WireLimit.filters) are accepted", at: offset)
  }

  private mutating func finish(_ draft: QueryDraft) -> Call? {
    guard faults.isEmpty else { return nil }
    var sort: SortOrder?
    if draft.sortField != nil || draft.hasOrder {
      sort = SortOrder(
        field: draft.sortField ?? .createdAt(in: draft.table), ascending: draft.isAscending)
    }
    let request = QueryRequest(
      table: draft.table, predicates: draft.predicates, combination: draft.combination, sort: sort,
      limit: draft.limit ?? (draft.isStream ? nil : WireLimit.defaultPageRows), offset: draft.offset,
      includeCount: draft.includeCount, cursor: draft.cursor, wantsCursor: draft.wantsCursor)
    if let cursor = draft.cursor, !cursor.belongs(to: request) {
      faults.add("the cursor was given out for another filter or order", at: draft.cursorOffset)
      return nil
    }
    let isObject = draft.includeCount || draft.wantsCursor
    return .query(
      request,
      QueryReply(
        fields: draft.fields,
        shape: isObject ? .object(count: draft.includeCount, cursor: draft.wantsCursor) : .array))
  }

  // MARK: Page and order

  private mutating func read(_ name: FilterMember, _ value: JSONValue, into draft: inout QueryDraft) {
    switch name {
    case .filters: preconditionFailure("filters are read by conditions")
    case .logicalOperator: draft.combination = combination(value) ?? .all
    case .sortBy: draft.sortField = sortField(value, draft.table)
    case .sortOrder:
      if let ascending = sortOrder(value) {
        draft.isAscending = ascending
        draft.hasOrder = true
      }
    case .limit: draft.limit = pageLimit(value, isStream: draft.isStream)
    case .offset: draft.offset = offset(value)
    case .cursor:
      draft.wantsCursor = true
      draft.cursorOffset = value.offset
      draft.cursor = cursor(value)
    case .includeCount: draft.includeCount = boolean(value, "include_count") ?? false
    case .fields: draft.fields = fields(value, draft.table)
    }
  }

  mutating func combination(_ value: JSONValue) -> Combination? {
    if value.kind == .null { return nil }
    switch value.string()?.lowercased() {
    case "and": return .all
    case "or": return .any
    default:
      faults.add(
        "invalid logical_operator: must be 'and' or 'or', found \(Self.shown(value))", at: value.offset,
        allowed: ["and", "or"])
      return nil
    }
  }

  private mutating func sortField(_ value: JSONValue, _ table: QueryTable) -> QueryField? {
    if value.kind == .null { return nil }
    let name = value.string()
    if let name, let field = QueryField.named(name, in: table), field.isSortable { return field }
    let allowed = QueryField.all(in: table).filter(\.isSortable).map(\.name) + ["meta_data.KEY"]
    let nearest = name.flatMap { UnknownName.nearest(to: $0, among: allowed) }
    faults.add(
      "invalid sort field: \(Self.bare(value))", at: value.offset, allowed: allowed, didYouMean: nearest)
    return nil
  }

  /// True for ascending.
  mutating func sortOrder(_ value: JSONValue) -> Bool? {
    if value.kind == .null { return nil }
    switch value.string()?.lowercased() {
    case "asc": return true
    case "desc": return false
    default:
      faults.add(
        "invalid sort order: \(Self.bare(value))", at: value.offset, allowed: ["asc", "desc"])
      return nil
    }
  }

  /// A text as it is, any other value as it was written, cut to a readable length.
  static func bare(_ value: JSONValue) -> String {
    guard let text = value.string() else { return shown(value) }
    let limit = ParamsFaults.shownCharacters
    return text.utf8.count <= limit ? text : text.prefix(limit) + "…"
  }

  /// How many rows are wanted, nil for null and when it is wrong.
  mutating func pageLimit(_ value: JSONValue, isStream: Bool) -> Int? {
    if value.kind == .null { return nil }
    if let limit = value.int64(), limit >= 1, isStream || limit <= WireLimit.pageRows { return Int(limit) }
    faults.add(
      isStream ? "limit must be 1 or more" : "limit must be between 1 and \(WireLimit.pageRows)",
      at: value.offset)
    return nil
  }

  private mutating func offset(_ value: JSONValue) -> Int {
    if value.kind == .null { return 0 }
    if let offset = value.int64(), offset >= 0 { return Int(offset) }
    faults.add("offset must be 0 or more", at: value.offset)
    return 0
  }

  private mutating func cursor(_ value: JSONValue) -> Cursor? {
    if value.kind == .null { return nil }
    if let text = value.string(), let cursor = Cursor(text: text) { return cursor }
    faults.add("cursor must be a next_cursor that was given out, or null", at: value.offset)
    return nil
  }

  private mutating func fields(_ value: JSONValue, _ table: QueryTable) -> MemberSelection? {
    guard entryCount(value, "fields") != nil else { return nil }
    let names = EntityMembers.names(of: table)
    var selection = MemberSelection(bits: 0)
    var elements = value.elements
    while let element = elements.next() {
      let name = element.string()
      if let name, let index = names.firstIndex(of: name) {
        selection.bits |= 1 << UInt32(index)
      } else if faults.isFull {
        faults.leaveOut()
      } else {
        faults.add(
          "invalid field: \(Self.bare(element))", at: element.offset, allowed: names,
          didYouMean: name.flatMap { UnknownName.nearest(to: $0, among: names) })
      }
    }
    return selection
  }

  // MARK: Conditions

  /// The conditions of `filters`.
  mutating func conditions(_ list: JSONValue, _ table: QueryTable) -> [Predicate] {
    if list.kind == .null { return [] }
    guard list.kind == .array else {
      wrong(list, "filters", "an array of conditions")
      return []
    }
    if list.count > WireLimit.filters {
      addTooMany(list.count, at: list.offset)
      return []
    }
    var predicates: [Predicate] = []
    var elements = list.elements
    while let element = elements.next() {
      if element.kind != .object {
        faults.add("a filter must be an object, found \(Self.shown(element))", at: element.offset)
      } else if let predicate = predicate(element, table) {
        predicates.append(predicate)
      }
    }
    return predicates
  }

  private mutating func predicate(_ condition: JSONValue, _ table: QueryTable) -> Predicate? {
    var field: QueryField?
    var op: FilterOperator?
    var operatorOffset = condition.offset
    var seen: Set<ConditionMember> = []
    var members = condition.members
    while let member = members.next() {
      guard let name = ConditionMember.table[member.key] else {
        unknown(member.key, ConditionMember.self)
        continue
      }
      if member.value.kind != .null || name == .value { seen.insert(name) }
      switch name {
      case .field: field = queryField(member.value, table)
      case .condition:
        operatorOffset = member.value.offset
        op = filterOperator(member.value)
      case .value, .values: continue
      }
    }
    if !seen.contains(.field) { faults.addMissing("field", in: condition.offset) }
    if !seen.contains(.condition) { faults.addMissing("operator", in: condition.offset) }
    guard let field, let op, allow(op, ComparedValue(field), at: operatorOffset) else { return nil }
    return conditionOperand(condition, ComparedValue(field), op).map {
      Predicate(field: field, op: op, operand: $0)
    }
  }

  /// The operand out of `value` or `values`, as the operator takes it.
  mutating func conditionOperand(
    _ condition: JSONValue, _ field: ComparedValue, _ op: FilterOperator
  ) -> Operand? {
    let (taken, other): (StaticString, StaticString) =
      switch op.arity {
      case .one, .none: ("value", "values")
      case .pair, .list: ("values", "value")
      }
    if let unused = condition[other], unused.kind != .null {
      faults.add("operator \(op.name) takes \(taken), not \(other)", at: unused.offset)
      return nil
    }
    switch op.arity {
    case .none:
      if let unused = condition[taken], unused.kind != .null {
        faults.add("operator \(op.name) takes no value", at: unused.offset)
        return nil
      }
      return Operand.none
    case .one:
      guard let value = condition[taken] else { return .null }
      return operand(value, field, op)
    case .pair, .list:
      if let list = condition[taken], list.kind != .null { return listOperand(list, field, op) }
      faults.addMissing("values", in: condition.offset)
      return nil
    }
  }

  private mutating func queryField(_ value: JSONValue, _ table: QueryTable) -> QueryField? {
    if value.kind == .null { return nil }
    if let name = value.string(), let field = QueryField.named(name, in: table) { return field }
    addInvalidField(Self.bare(value), table, at: value.offset)
    return nil
  }

  private mutating func addInvalidField(_ name: String, _ table: QueryTable, at offset: Int) {
    if faults.isFull { return faults.leaveOut() }
    let allowed = QueryField.all(in: table).map(\.name) + ["meta_data.KEY"]
    faults.add(
      "invalid filter field: \(name)", at: offset, allowed: allowed,
      didYouMean: UnknownName.nearest(to: name, among: allowed))
  }

  mutating func filterOperator(_ value: JSONValue) -> FilterOperator? {
    if value.kind == .null { return nil }
    if let name = value.string(), let op = FilterOperator(name: name) { return op }
    addInvalidOperator(Self.bare(value), at: value.offset)
    return nil
  }

  private mutating func addInvalidOperator(_ name: String, at offset: Int) {
    if faults.isFull { return faults.leaveOut() }
    let allowed = FilterOperator.allCases.map(\.name)
    faults.add(
      "invalid operator: \(name)", at: offset, allowed: allowed,
      didYouMean: UnknownName.nearest(to: name, among: allowed))
  }

  mutating func allow(_ op: FilterOperator, _ field: ComparedValue, at offset: Int) -> Bool {
    if field.type.allows(op) { return true }
    faults.add(
      "invalid operator: \(op.name) for \(field.name)", at: offset,
      allowed: field.type.allowedOperators.map(\.name))
    return false
  }

  // MARK: FIELD_OPERATOR members of lists

  private mutating func readCondition(_ member: JSONMember, into draft: inout QueryDraft) {
    if member.key.equals("_meta") { return }
    let key = member.key.string() ?? ""
    let split = key.utf8.lastIndex(of: UInt8(ascii: "_"))
    let op = split.flatMap { FilterOperator(name: String(key[key.index(after: $0)...])) }
    let field = split.flatMap { QueryField.named(String(key[..<$0]), in: draft.table) }
    switch (field, op) {
    case (.some(let field), .some(let op)):
      guard allow(op, ComparedValue(field), at: member.key.offset),
        let predicate = predicate(member.value, field, op)
      else { return }
      draft.predicates.append(predicate)
    case (nil, .some):
      addInvalidField(Self.cut(key.prefix(upTo: split ?? key.endIndex)), draft.table, at: member.key.offset)
    case (.some, nil):
      addInvalidOperator(
        Self.cut(key.suffix(from: split.map { key.index(after: $0) } ?? key.startIndex)),
        at: member.key.offset)
    case (nil, nil): unknownListMember(member.key, key, draft.table)
    }
  }

  private static func cut(_ text: Substring) -> String {
    String(text.prefix(ParamsFaults.shownCharacters))
  }

  private mutating func unknownListMember(_ key: JSONValue, _ name: String, _ table: QueryTable) {
    if let field = QueryField.named(name, in: table) {
      faults.add(
        "unknown member \(Self.cut(name[...])); a condition is FIELD_OPERATOR, such as \(field.name)_eq",
        at: key.offset, didYouMean: "\(field.name)_eq")
      return
    }
    unknown(key, allowed: FilterMember.allCases.dropFirst().map(\.rawValue) + ["FIELD_OPERATOR"])
  }

  private mutating func predicate(
    _ value: JSONValue, _ field: QueryField, _ op: FilterOperator
  ) -> Predicate? {
    let operand: Operand?
    var op = op
    switch op.arity {
    case .none:
      // `isnull: false` asks for the opposite.
      guard value.kind == .true || value.kind == .false || value.equals("true") || value.equals("false")
      else {
        faults.add("\(field.name)_\(op.name) must be true or false", at: value.offset)
        return nil
      }
      if value.kind == .false || value.equals("false") { op = op == .isNull ? .isNotNull : .isNull }
      operand = Operand.none
    case .one: operand = self.operand(value, ComparedValue(field), op)
    case .pair, .list:
      operand =
        value.kind == .string
        ? splitOperand(value, ComparedValue(field), op) : listOperand(value, ComparedValue(field), op)
    }
    return operand.map { Predicate(field: field, op: op, operand: $0) }
  }
}

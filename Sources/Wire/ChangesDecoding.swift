// Params of the methods of the change stream.

/// Members of `changes.read` and `changes.subscribe`.
private enum ChangesMember: String, NameSet {
  case fromPosition = "from_position"
  case limit

  static let table = MemberTable<ChangesMember>()
}

extension ParamsReader {
  /// The call of `changes.read`, nil if something is wrong. Without `limit` a stream goes on to the end.
  mutating func changesRead(_ params: JSONValue, isStream: Bool) -> ChangesCall? {
    var start: UInt64?
    var hasStart = false
    var limit: Int?
    var members = params.members
    while let member = members.next() {
      switch ChangesMember.table[member.key] {
      case .fromPosition:
        hasStart = member.value.kind != .null
        start = fromPosition(member.value)
      case .limit: limit = pageLimit(member.value, isStream: isStream)
      case nil: unknown(member.key, ChangesMember.self)
      }
    }
    if !hasStart { faults.addMissing("from_position", in: params.offset) }
    return start.map { .read(from: $0, limit: limit ?? (isStream ? .max : WireLimit.defaultChanges)) }
  }

  /// The call of `changes.subscribe`, nil if something is wrong.
  mutating func changesSubscribe(_ params: JSONValue) -> ChangesCall? {
    var start: UInt64?
    var members = params.members
    while let member = members.next() {
      switch ChangesMember.table[member.key] {
      case .fromPosition: start = fromPosition(member.value)
      case .limit, nil: unknown(member.key, allowed: ["from_position"])
      }
    }
    return .subscribe(from: start)
  }

  private mutating func fromPosition(_ value: JSONValue) -> UInt64? {
    integer(value, "from_position", 1...Int64.max).map(UInt64.init)
  }
}

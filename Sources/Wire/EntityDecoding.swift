// Params of ledgers, identities, metadata, the server, and of everything that names one row.

import Ledger
import Platform

/// Members of all methods with few of them; each method says which ones it takes.
enum SimpleMember: String, NameSet {
  case ledgerID = "ledger_id"
  case identityID = "identity_id"
  case balanceID = "balance_id"
  case transactionID = "transaction_id"
  case id, connection, name, currency, indicator, reference, include, wait
  case metadata = "meta_data"
  case createdAt = "created_at"
  case dryRun = "dry_run"
  case at

  static let table = MemberTable<SimpleMember>()
}

/// Members of an identity.
enum IdentityMember: String, NameSet {
  case identityType = "identity_type"
  case firstName = "first_name"
  case lastName = "last_name"
  case otherNames = "other_names"
  case gender
  case dateOfBirth = "dob"
  case emailAddress = "email_address"
  case phoneNumber = "phone_number"
  case nationality
  case organizationName = "organization_name"
  case category, street, country, state
  case postCode = "post_code"
  case city
  case identityID = "identity_id"
  case metadata = "meta_data"
  case createdAt = "created_at"
  case dryRun = "dry_run"

  static let table = MemberTable<IdentityMember>()

  /// The record's field that the member sets, nil for the others.
  var field: IdentityField? { IdentityField.allCases.first { "\($0.name)" == rawValue } }
}

/// The values of a method with few members, each nil when absent, null or wrong.
struct SimpleParams {
  var ledger: Identifier?
  var identity: Identifier?
  var balance: Identifier?
  var transaction: Identifier?
  /// The kind and identifier of any entity.
  var entity: (EntityKind, Identifier)?
  var request: RequestID?
  var connection: UInt64?
  var name: String?
  var currency: String?
  var indicator: String?
  var reference: String?
  var includesIdentity = false
  var includesLedger = false
  var waits: Bool?
  var metadata: [UInt8]?
  var patch: MetadataPatch?
  var createdAt: Microseconds?
}

extension ParamsReader {
  /// Reads an object that may have the members `allowed` and must have `required`.
  mutating func simple(
    _ params: JSONValue, _ method: MethodName, required: [SimpleMember] = [], optional: [SimpleMember] = []
  ) -> SimpleParams {
    var found = SimpleParams()
    var missing = required
    var members = params.members
    while let member = members.next() {
      guard let name = SimpleMember.table[member.key],
        required.contains(name) || optional.contains(name) || name == .dryRun && method.isWrite
      else {
        unknown(member.key, allowed: (required + optional).filter { $0 != .at }.map(\.rawValue))
        continue
      }
      if member.value.kind != .null { missing.removeAll { $0 == name } }
      read(name, member.value, method, into: &found)
    }
    for name in missing { faults.addMissing(name.rawValue, in: params.offset) }
    return found
  }

  private mutating func read(
    _ name: SimpleMember, _ value: JSONValue, _ method: MethodName, into found: inout SimpleParams
  ) {
    switch name {
    case .ledgerID: found.ledger = identifier(value, "ledger_id", .ledger)
    case .identityID: found.identity = identifier(value, "identity_id", .identity)
    case .balanceID: found.balance = identifier(value, "balance_id", .balance)
    case .transactionID: found.transaction = identifier(value, "transaction_id", .transaction)
    case .id:
      if method == .serverCancel { found.request = requestID(value) } else { found.entity = entity(value) }
    case .connection: found.connection = integer(value, "connection", 0...Int64.max).map(UInt64.init)
    case .name: found.name = text(value, "name", limit: WireLimit.nameBytes, allowsNUL: true)
    case .currency: found.currency = currency(value)
    case .indicator: found.indicator = indicator(value, "indicator")
    case .reference: found.reference = text(value, "reference", limit: WireLimit.referenceBytes)
    case .include: include(value, into: &found)
    case .wait: found.waits = boolean(value, "wait")
    case .metadata:
      if method == .metadataUpdate { found.patch = patch(value) } else { found.metadata = metadata(value) }
    case .createdAt: found.createdAt = time(value, "created_at")
    case .dryRun, .at: unsupported(value, name.rawValue)
    }
  }

  private mutating func requestID(_ value: JSONValue) -> RequestID? {
    if value.kind == .string || value.kind == .number { return RequestID(json: value.rawString()) }
    if value.kind != .null { wrong(value, "id", "the id of a request: a string or a number") }
    return nil
  }

  private mutating func entity(_ value: JSONValue) -> (EntityKind, Identifier)? {
    if value.kind == .null { return nil }
    if let text = value.string() {
      for kind in [EntityKind.ledger, .balance, .transaction, .identity] {
        if let identifier = Identifier(text, kind: kind) { return (kind, identifier) }
      }
    }
    wrong(value, "id", "the identifier of a ledger, balance, transaction or identity")
    return nil
  }

  private mutating func include(_ value: JSONValue, into found: inout SimpleParams) {
    if value.kind == .null { return }
    guard value.kind == .array else {
      wrong(value, "include", "an array of identity and ledger")
      return
    }
    var elements = value.elements
    while let element = elements.next() {
      if element.equals("identity") {
        found.includesIdentity = true
      } else if element.equals("ledger") {
        found.includesLedger = true
      } else {
        faults.add(
          "include takes identity and ledger, found \(Self.shown(element))", at: element.offset,
          allowed: ["identity", "ledger"])
      }
    }
  }

  private mutating func patch(_ value: JSONValue) -> MetadataPatch? {
    if value.kind == .null { return nil }
    guard value.kind == .object else {
      wrong(value, "meta_data", "an object")
      return nil
    }
    if value.endOffset - value.offset > WireLimit.metadataBytes {
      let byteCount = value.compacted().count
      if byteCount > WireLimit.metadataBytes {
        faults.add(
          "meta_data has \(byteCount) bytes; at most \(WireLimit.metadataBytes) are accepted",
          at: value.offset)
        return nil
      }
    }
    return MetadataPatch(value)
  }

  // MARK: Identities

  /// The command of `identities.create`, nil if something is wrong.
  mutating func newIdentity(_ params: JSONValue) -> Command? {
    var identity = NewIdentity(fields: Array(repeating: nil, count: IdentityField.allCases.count))
    var members = params.members
    while let member = members.next() {
      guard let name = IdentityMember.table[member.key] else {
        unknown(member.key, allowed: IdentityMember.allCases.dropLast().map(\.rawValue))
        continue
      }
      if let field = name.field {
        identity.fields[field.rawValue] = identityText(member.value, field)
        continue
      }
      switch name {
      case .identityID: identity.identifier = identifier(member.value, "identity_id", .identity)
      case .metadata: identity.metadata = metadata(member.value) ?? []
      case .createdAt: identity.createdAt = time(member.value, "created_at")
      default: unsupported(member.value, name.rawValue)
      }
    }
    return faults.isEmpty ? .createIdentity(identity) : nil
  }

  /// The command of `identities.update`, nil if something is wrong. Null clears a field.
  mutating func identityUpdate(_ params: JSONValue) -> Command? {
    var identity: Identifier?
    var hasIdentity = false
    var fields: [(IdentityField, String?)] = []
    var members = params.members
    while let member = members.next() {
      let name = IdentityMember.table[member.key]
      if let field = name?.field {
        fields.append((field, identityText(member.value, field)))
      } else if name == .identityID {
        hasIdentity = member.value.kind != .null
        identity = identifier(member.value, "identity_id", .identity)
      } else if name == .dryRun {
        unsupported(member.value, "dry_run")
      } else {
        unknown(member.key, allowed: IdentityMember.allCases.prefix(17).map(\.rawValue))
      }
    }
    if !hasIdentity { faults.addMissing("identity_id", in: params.offset) }
    if fields.isEmpty { faults.add("no field is given to be changed", at: params.offset) }
    guard faults.isEmpty, let identity else { return nil }
    return .updateIdentity(identity, fields: fields)
  }

  private mutating func identityText(_ value: JSONValue, _ field: IdentityField) -> String? {
    let text = text(value, field.name, limit: WireLimit.nameBytes, allowsEmpty: true, allowsNUL: true)
    // An absent text is null, never "".
    return text?.isEmpty == true ? nil : text
  }
}

// Descriptions of the methods of server, ledgers, identities and metadata.

import Ledger
import Query

extension MethodTable {
  static let serverMethods: [MethodDescription] = [
    MethodDescription(
      .serverPing, "Answers; the cheapest way to see that the server is there.",
      result: ValueSchema("\"pong\"", #"{"const":"pong"}"#)),
    MethodDescription(
      .serverInfo, "Name, version, protocol, start, limits, durability, data directory and counts.",
      result: .object, sample: MethodSamples.info),
    MethodDescription(
      .serverStats,
      "Counts, errors and latencies by method, queue depths, memory, journal position, cut age.",
      result: .object, sample: MethodSamples.stats),
    MethodDescription(
      .serverMetrics, "What server.stats tells, as Prometheus text.",
      result: ValueSchema("text", #"{"type":"string"}"#), sample: MethodSamples.metrics),
    MethodDescription(
      .serverCancel, "Stops a request that is still waiting or running; it is then answered with CANCELLED.",
      params: [
        ParamDescription(
          "id", ValueSchema("string or number", #"{"type":["string","number"]}"#), required: true,
          "The id of the request, as it was written."),
        ParamDescription(
          "connection", .integer(0...Int64.max), "Another connection's number; this connection when absent."),
      ],
      result: .object, example: #"{"id":7}"#, sample: #"{"cancelled":0}"#),
    MethodDescription(
      .snapshotsCreate, "Saves all books to the disk in the background.",
      params: [ParamDescription("wait", .boolean, "Answer only when the snapshot is on the disk.")],
      result: .object, example: #"{"wait":true}"#, sample: MethodSamples.snapshot),
    MethodDescription(
      .snapshotsList, "The snapshots on the disk.", result: .array(of: .object),
      sample: "[\(MethodSamples.snapshot)]"),
    MethodDescription(
      .discover, "This protocol as an OpenRPC document.", result: .object, sample: MethodSamples.discovery),
  ]

  static let ledgerMethods: [MethodDescription] = [
    MethodDescription(
      .ledgersCreate,
      "Makes a ledger, a named set of balances. `general_ledger_id` exists from the beginning.",
      params: [
        ParamDescription("name", .text(WireLimit.nameBytes), required: true, "Need not be unique."),
        ParamDescription("ledger_id", .ledgerID, "Chosen by the caller; made here when absent."),
        ParamDescription("created_at", .time, "For imports; now when absent."), metadataParam,
      ],
      result: .ledger, errors: [.conflict("LGR_DUPLICATE", "ledger_id is taken")],
      example: #"{"ledger_id":"ldg_customers","name":"Customers","meta_data":{"region":"EU"}}"#),
    MethodDescription(
      .ledgersGet, "One ledger.",
      params: [ParamDescription("ledger_id", .ledgerID, required: true, "Which.")],
      result: .ledger, errors: [.noLedger], example: #"{"ledger_id":"ldg_customers"}"#),
    list(.ledgersList, .ledgers, .ledger, example: #"{"name_eq":"Customers"}"#),
    filter(
      .ledgersFilter, .ledgers, .ledger,
      example:
        #"{"filters":[{"field":"name","operator":"like","value":"Cust%"}],"fields":["ledger_id","name"]}"#),
    MethodDescription(
      .ledgersUpdate, "Renames a ledger.",
      params: [
        ParamDescription("ledger_id", .ledgerID, required: true, "Which."),
        ParamDescription("name", .text(WireLimit.nameBytes), required: true, "Its new name."),
      ],
      result: .ledger, errors: [.noLedger],
      example: #"{"ledger_id":"ldg_customers","name":"Customers in Europe"}"#),
  ]

  static let identityMethods: [MethodDescription] = [
    MethodDescription(
      .identitiesCreate, "Makes an identity: a person or an organization that balances may belong to.",
      params: identityFields + [
        ParamDescription("identity_id", .identityID, "Chosen by the caller; made here when absent."),
        ParamDescription("created_at", .time, "For imports; now when absent."), metadataParam,
      ],
      result: .identity, errors: [.conflict("IDT_DUPLICATE", "identity_id is taken")],
      example:
        #"{"identity_id":"idt_ann","identity_type":"individual","first_name":"Ann","last_name":"Okoro"}"#),
    MethodDescription(
      .identitiesGet, "One identity.",
      params: [ParamDescription("identity_id", .identityID, required: true, "Which.")], result: .identity,
      errors: [.noIdentity], example: #"{"identity_id":"idt_ann"}"#),
    list(.identitiesList, .identities, .identity, example: #"{"first_name_eq":"Ann","include_count":true}"#),
    filter(
      .identitiesFilter, .identities, .identity,
      example:
        #"{"filters":[{"field":"last_name","operator":"in","values":["Okoro","Silva"]}],"fields":["identity_id"]}"#
    ),
    MethodDescription(
      .identitiesUpdate, "Changes fields of an identity; null clears one.",
      params: [ParamDescription("identity_id", .identityID, required: true, "Which.")]
        + identityFields.map { ParamDescription($0.name, .nullableText(WireLimit.nameBytes), $0.text) },
      result: .identity, errors: [.noIdentity],
      example: #"{"identity_id":"idt_ann","city":"Lagos","first_name":null}"#),
    MethodDescription(
      .identitiesDelete, "Removes an identity that no balance belongs to. Its id is never used again.",
      params: [ParamDescription("identity_id", .identityID, required: true, "Which.")],
      result: ValueSchema(
        "object",
        #"{"type":"object","properties":{"identity_id":{"type":"string"},"deleted":{"const":true}}}"#),
      errors: [.noIdentity, .conflict("IDT_IN_USE", "balances belong to it")],
      example: #"{"identity_id":"idt_gone"}"#,
      after: [(.identitiesCreate, #"{"identity_id":"idt_gone"}"#)]),
    MethodDescription(
      .metadataUpdate, "Merges members into an entity's metadata; null removes one.",
      params: [
        ParamDescription(
          "id", ValueSchema("any id", #"{"type":"string"}"#), required: true,
          "A ledger, identity, balance or transaction."),
        ParamDescription(
          "meta_data", .metadata, required: true, "The members to set; at most 64 KiB in the end."),
      ],
      result: ValueSchema("object", #"{"type":"object","properties":{"meta_data":{"type":"object"}}}"#),
      errors: [.noLedger, .noIdentity, .noBalance, .noTransaction],
      example: #"{"id":"ldg_customers","meta_data":{"region":null,"tier":"gold"}}"#),
  ]

  static let metadataParam = ParamDescription("meta_data", .metadata, "Anything else, at most 64 KiB.")

  private static let identityFields = IdentityField.allCases.map { field in
    ParamDescription(
      "\(field.name)", .text(WireLimit.nameBytes), field == .dateOfBirth ? "Date of birth." : "Text.")
  }

  // MARK: Queries

  /// The description of a list method.
  static func list(
    _ method: MethodName, _ table: QueryTable, _ row: ValueSchema, example: String
  ) -> MethodDescription {
    let fields = QueryField.all(in: table).map(\.name).joined(separator: ", ")
    let condition = ParamDescription(
      ParamDescription.condition, .anything,
      "Any number of conditions, such as `created_at_gte`. Fields: \(fields), meta_data.KEY. Operators: "
        + FilterOperator.allCases.map(\.name).joined(separator: ", ")
        + ". `in` takes an array or a comma list, `between` an array or `a|b`, `isnull` true or false.")
    return MethodDescription(
      method, "Rows that fit all conditions, newest first, by conditions as members.",
      params: [condition] + pageParams(table), result: page(of: row), example: example)
  }

  /// The description of a filter method.
  static func filter(
    _ method: MethodName, _ table: QueryTable, _ row: ValueSchema, example: String
  ) -> MethodDescription {
    let filters = ParamDescription(
      "filters", .array(of: .component("Filter", "filter"), maximum: WireLimit.filters), required: true,
      "Conditions `{field, operator, value | values}`; `[]` fits every row. Fields and operators as for the list."
    )
    return MethodDescription(
      method, "Rows that fit a filter, newest first.", params: [filters] + pageParams(table),
      result: page(of: row), example: example)
  }

  private static func pageParams(_ table: QueryTable) -> [ParamDescription] {
    [
      ParamDescription(
        "logical_operator", .oneOf(["and", "or"]), "How conditions are combined; and by default."),
      ParamDescription("sort_by", ValueSchema("field", #"{"type":"string"}"#), "created_at by default."),
      ParamDescription("sort_order", .oneOf(["asc", "desc"]), "desc by default."),
      ParamDescription(
        "limit", .integer(1...Int64(WireLimit.pageRows)),
        "Rows at most; 20 by default. With `stream` any number, all by default."),
      ParamDescription("offset", .integer(0...Int64.max), "Rows to leave out first."),
      ParamDescription(
        "cursor", ValueSchema("string or null", #"{"type":["string","null"]}"#),
        "null for the first page, then `next_cursor` of the page before; under writes no unchanged row is missed."
      ),
      ParamDescription("include_count", .boolean, "Also count all rows that fit, as `total_count`."),
      ParamDescription(
        "fields", .array(of: .oneOf(EntityMembers.names(of: table)).named("member"), minimum: 1),
        "The members wanted of each row; all by default."),
    ]
  }

  private static func page(of row: ValueSchema) -> ValueSchema {
    let rows = ValueSchema.array(of: row)
    return ValueSchema(
      "array, or with include_count or cursor an object {data, total_count, next_cursor}",
      #"{"oneOf":[\#(rows.json),{"type":"object","required":["data"],"properties":{"data":\#(rows.json),"#
        + #""total_count":{"type":"integer"},"next_cursor":{"type":["string","null"]}}}]}"#)
  }
}

extension ValueSchema {
  /// The same form under another label.
  func named(_ label: String) -> ValueSchema { ValueSchema(label, json) }
}

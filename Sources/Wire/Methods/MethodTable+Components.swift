// The schemas that methods share, as components of the OpenRPC document.

import Ledger
import Query

extension MethodTable {
  /// Name and JSON text of each schema.
  static let components: [(String, String)] =
    [
      ("Amount", #"{"type":"string","pattern":"^-?[0-9]+$"}"#),
      ("AmountInput", #"{"type":["string","integer"],"description":"An integer of at most 1000 digits."}"#),
      ("DecimalInput", #"{"type":["string","number"],"description":"A decimal without exponent."}"#),
      ("Time", #"{"type":"string","format":"date-time"}"#),
      (
        "TimeInput",
        #"{"type":"string","description":"RFC 3339, or a date, or a time without offset (UTC)."}"#
      ),
      ("MetaData", #"{"type":"object"}"#),
      ("Currency", #"{"type":"string","minLength":1,"maxLength":32,"pattern":"^\\S+$"}"#),
      ("Indicator", #"{"type":"string","maxLength":256,"pattern":"^@\\S+$"}"#),
      ("Party", #"{"type":"string","pattern":"^(@\\S+|bln_[A-Za-z0-9_-]{1,64})$"}"#),
      ("LedgerID", #"{"type":"string","pattern":"^(general_ledger_id|ldg_[A-Za-z0-9_-]{1,64})$"}"#),
      ("Operand", #"{"type":["string","number","boolean","null"]}"#),
      (
        "Operands",
        #"{"type":["array","string"],"description":"Values, or one text: a,b,c for in, a|b for between."}"#
      ),
      identifier("IdentityID", .identity), identifier("BalanceID", .balance),
      identifier("TransactionID", .transaction),
      (
        "Filter",
        #"{"type":"object","required":["field","operator"],"properties":{"field":{"type":"string"},"operator":"#
          + ValueSchema.oneOf(FilterOperator.allCases.map(\.name) + ["ne"]).json
          + #","value":{},"values":{"type":"array","maxItems":10000}}}"#
      ),
    ]
    + [
      ("Ledger", object(EntityMembers.ledgers)), ("Identity", object(EntityMembers.identities)),
      ("Balance", object(EntityMembers.balances)), ("Transaction", object(EntityMembers.transactions)),
      ("Change", change),
      ("NewBalance", params(of: .balancesCreate, in: balanceMethods)),
      ("NewTransaction", params(of: .transactionsCreate, in: transactionMethods)),
    ]

  private static func identifier(_ name: String, _ kind: EntityKind) -> (String, String) {
    (name, #"{"type":"string","pattern":"^\#(kind.prefix)[A-Za-z0-9_-]{1,64}$"}"#)
  }

  /// The schema of an entity's object.
  private static func object(_ members: [String]) -> String {
    let properties = members.map { #""\#($0)":\#(schema(ofMember: $0))"# }.joined(separator: ",")
    return #"{"type":"object","properties":{\#(properties)}}"#
  }

  private static func schema(ofMember name: String) -> String {
    switch name {
    case "meta_data": ##"{"$ref":"#/components/schemas/MetaData"}"##
    case "balance", "credit_balance", "debit_balance", "inflight_balance", "inflight_credit_balance",
      "inflight_debit_balance", "precise_amount":
      ##"{"$ref":"#/components/schemas/Amount"}"##
    case "created_at": ##"{"$ref":"#/components/schemas/Time"}"##
    case "currency_multiplier", "version", "precision", "position": #"{"type":"integer"}"#
    case "track_fund_lineage", "inflight", "allow_overdraft": #"{"type":"boolean"}"#
    default: #"{"type":["string","null"]}"#
    }
  }

  /// The schema of what a method takes, for items of its batch.
  private static func params(of method: MethodName, in methods: [MethodDescription]) -> String {
    let params = methods.first { $0.method == method }?.params ?? []
    let required = params.filter(\.isRequired).map { "\"\($0.name)\"" }.joined(separator: ",")
    let properties = params.map { #""\#($0.name)":\#($0.schema.json)"# }.joined(separator: ",")
    return #"{"type":"object","required":[\#(required)],"properties":{\#(properties)},"#
      + #""additionalProperties":false}"#
  }
}

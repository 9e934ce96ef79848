// What is told of a method: what it takes, gives and refuses, with an example that a test runs.

import Ledger
import Query

/// The form of a value: a JSON Schema, and a word or two for people.
package struct ValueSchema: Sendable {
  /// JSON text of the schema.
  package let json: String
  package let label: String

  package init(_ label: String, _ json: String) {
    self.json = json
    self.label = label
  }

  /// One of the document's components.
  static func component(_ name: String, _ label: String) -> ValueSchema {
    ValueSchema(label, ##"{"$ref":"#/components/schemas/\##(name)"}"##)
  }

  static func array(of element: ValueSchema, minimum: Int = 0, maximum: Int? = nil) -> ValueSchema {
    let bound = maximum.map { #","maxItems":\#($0)"# } ?? ""
    return ValueSchema(
      "array of " + element.label,
      #"{"type":"array","items":\#(element.json),"minItems":\#(minimum)\#(bound)}"#)
  }

  static func integer(_ range: ClosedRange<Int64>) -> ValueSchema {
    if range.upperBound == .max {
      return ValueSchema(
        "integer from \(range.lowerBound)", #"{"type":"integer","minimum":\#(range.lowerBound)}"#)
    }
    return ValueSchema(
      "integer from \(range.lowerBound) to \(range.upperBound)",
      #"{"type":"integer","minimum":\#(range.lowerBound),"maximum":\#(range.upperBound)}"#)
  }

  static func oneOf(_ values: [String]) -> ValueSchema {
    let list = values.map { "\"\($0)\"" }.joined(separator: ",")
    return ValueSchema(values.joined(separator: ", "), #"{"enum":[\#(list)]}"#)
  }

  static func text(_ limit: Int) -> ValueSchema {
    ValueSchema("string", #"{"type":"string","minLength":1,"maxLength":\#(limit)}"#)
  }

  /// Text that may be empty.
  static func anyText(_ limit: Int) -> ValueSchema {
    ValueSchema("string", #"{"type":"string","maxLength":\#(limit)}"#)
  }

  static func nullableText(_ limit: Int) -> ValueSchema {
    ValueSchema("string or null", #"{"type":["string","null"],"maxLength":\#(limit)}"#)
  }

  /// What a condition compares with: one value, or several.
  static let operand = component("Operand", "value")
  static let operands = component("Operands", "values")
  static let boolean = ValueSchema("boolean", #"{"type":"boolean"}"#)
  static let anything = ValueSchema("any JSON", "{}")
  static let object = ValueSchema("object", #"{"type":"object"}"#)
  static let amount = component("AmountInput", "integer as string or number")
  static let decimal = component("DecimalInput", "decimal as string or number")
  static let time = component("TimeInput", "time")
  static let metadata = component("MetaData", "object")
  static let ledgerID = component("LedgerID", "ledger id")
  static let identityID = component("IdentityID", "identity id")
  static let balanceID = component("BalanceID", "balance id")
  static let transactionID = component("TransactionID", "transaction id")
  static let party = component("Party", "balance id or @indicator")
  static let currency = component("Currency", "currency")
  static let indicator = component("Indicator", "@indicator")
  static let ledger = component("Ledger", "ledger")
  static let identity = component("Identity", "identity")
  static let balance = component("Balance", "balance")
  static let transaction = component("Transaction", "transaction")
}

/// A member of a method's params.
package struct ParamDescription: Sendable {
  /// The name of the one param that stands for a condition on any field of a list.
  package static let condition = "FIELD_OPERATOR"

  package let name: String
  package let schema: ValueSchema
  package let isRequired: Bool
  package let text: String

  init(_ name: String, _ schema: ValueSchema, required: Bool = false, _ text: String) {
    self.name = name
    self.schema = schema
    isRequired = required
    self.text = text
  }
}

/// An error that a method is likely to answer.
package struct ErrorDescription: Sendable {
  package let code: WireError.Code
  package let dataCode: String
  package let text: String

  static let params = ErrorDescription(
    code: .invalidParams, dataCode: "GEN_VALIDATION_ERROR", text: "params are wrong")
  static let noLedger = missing("LGR_NOT_FOUND", "no such ledger")
  static let noIdentity = missing("IDT_NOT_FOUND", "no such identity")
  static let noBalance = missing("BAL_NOT_FOUND", "no such balance")
  static let noTransaction = missing("TXN_NOT_FOUND", "no such transaction")

  private static func missing(_ dataCode: String, _ text: String) -> ErrorDescription {
    ErrorDescription(code: .notFound, dataCode: dataCode, text: text)
  }

  static func conflict(_ dataCode: String, _ text: String) -> ErrorDescription {
    ErrorDescription(code: .conflict, dataCode: dataCode, text: text)
  }

  static func refused(_ dataCode: String, _ text: String) -> ErrorDescription {
    ErrorDescription(code: .refused, dataCode: dataCode, text: text)
  }
}

/// A method as `rpc.discover` and `docs/methods.md` tell of it.
package struct MethodDescription: Sendable {
  package let method: MethodName
  package let summary: String
  package let params: [ParamDescription]
  package let result: ValueSchema
  package let errors: [ErrorDescription]
  /// Params of the example, JSON text. Examples run one after another on empty books, in the table's order.
  package let example: String
  /// Requests that prepare the example, `method params` each.
  package let preparation: [(MethodName, String)]
  /// An answer with the members that every answer has, where their values depend on the server. A test
  /// compares it with a server's.
  package let sample: String?

  init(
    _ method: MethodName, _ summary: String, params: [ParamDescription] = [], result: ValueSchema,
    errors: [ErrorDescription] = [], example: String = "{}", after preparation: [(MethodName, String)] = [],
    sample: String? = nil
  ) {
    self.method = method
    self.summary = summary
    self.params = params
    self.result = result
    self.errors = params.isEmpty ? errors : [.params] + errors
    self.example = example
    self.preparation = preparation
    self.sample = sample
  }

  /// Result of the example, JSON text: what the method gives on books whose clock stands at 2025-01-01, and
  /// for what depends on the server one answer out of many.
  package var exampleResult: String { MethodExampleResults.all[method] ?? sample ?? "null" }
}

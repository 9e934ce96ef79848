// Every method with its description: the source of `rpc.discover` and of `docs/methods.md`.

import Ledger
import Query

/// All methods in the order of the docs.
package enum MethodTable {
  package static let all: [MethodDescription] =
    serverMethods + ledgerMethods + identityMethods + balanceMethods + transactionMethods
    + changeMethods

  /// The description of a method.
  package static func description(of method: MethodName) -> MethodDescription {
    guard let description = all.first(where: { $0.method == method }) else {
      preconditionFailure("every method is described")
    }
    return description
  }

  /// Names of the operators of filters.
  package static var operatorNames: [String] { FilterOperator.allCases.map(\.name) }

  /// Names of the fields that `ledgers`, `identities`, `balances` or `transactions` are filtered by, those of
  /// the metadata left out; none for any other name.
  package static func fieldNames(of entities: String) -> [String] {
    let table: QueryTable
    switch entities {
    case "ledgers": table = .ledgers
    case "identities": table = .identities
    case "balances": table = .balances
    case "transactions": table = .transactions
    default: return []
    }
    return QueryField.all(in: table).map(\.name)
  }

  /// Appends the methods as an OpenRPC document.
  package static func openRPC(into writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("openrpc")
    writer.string("1.3.2")
    writer.key("info")
    writer.beginObject()
    writer.key("title")
    writer.string("Ledgerline")
    writer.key("description")
    writer.string("A double-entry ledger in memory, one JSON-RPC request a line over a Unix socket.")
    writer.key("version")
    writer.string(protocolVersion)
    writer.endObject()
    writer.key("methods")
    writer.beginArray()
    for method in all { append(method, into: &writer) }
    writer.endArray()
    writer.key("components")
    writer.beginObject()
    writer.key("schemas")
    writer.beginObject()
    for (name, json) in components {
      writer.key(escaping: name)
      writer.value(json.utf8.span)
    }
    writer.endObject()
    writer.endObject()
    writer.endObject()
  }

  /// Version of the protocol that these methods make up.
  package static let protocolVersion = "1.0.0"

  private static func append(_ method: MethodDescription, into writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("name")
    writer.plainString(method.method.name)
    writer.key("summary")
    writer.string(method.summary)
    writer.key("paramStructure")
    writer.string("by-name")
    writer.key("params")
    writer.beginArray()
    for param in method.params {
      if param.name == ParamDescription.condition {
        appendConditions(of: method.method, into: &writer)
      } else {
        append(param, into: &writer)
      }
    }
    writer.endArray()
    writer.key("result")
    writer.beginObject()
    writer.key("name")
    writer.string(method.result.label)
    writer.key("schema")
    writer.value(method.result.json.utf8.span)
    writer.endObject()
    writer.key("errors")
    writer.beginArray()
    for error in method.errors { append(error, into: &writer) }
    writer.endArray()
    writer.key("examples")
    writer.beginArray()
    appendExample(of: method, into: &writer)
    writer.endArray()
    writer.endObject()
  }

  private static func append(_ param: ParamDescription, into writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("name")
    writer.string(param.name)
    writer.key("description")
    writer.string(param.text)
    writer.key("required")
    writer.bool(param.isRequired)
    writer.key("schema")
    writer.value(param.schema.json.utf8.span)
    writer.endObject()
  }

  /// A param for each condition that a list takes, so that programs which know only this document can filter.
  private static func appendConditions(of method: MethodName, into writer: inout JSONWriter) {
    for field in QueryField.all(in: listedTable(method)) {
      for op in field.type.allowedOperators {
        let schema: ValueSchema =
          switch op.arity {
          case .none: .boolean
          case .one: .operand
          case .pair, .list: .operands
          }
        append(
          ParamDescription("\(field.name)_\(op.name)", schema, "A condition on \(field.name)."), into: &writer
        )
      }
    }
  }

  private static func listedTable(_ method: MethodName) -> QueryTable {
    switch method {
    case .ledgersList: .ledgers
    case .identitiesList: .identities
    case .balancesList: .balances
    case .transactionsList: .transactions
    default: preconditionFailure("only lists take conditions")
    }
  }

  private static func append(_ error: ErrorDescription, into writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("code")
    writer.integer(error.code.rawValue)
    writer.key("message")
    writer.string(error.text)
    writer.key("data")
    writer.beginObject()
    writer.key("code")
    writer.string(error.dataCode)
    writer.endObject()
    writer.endObject()
  }

  private static func appendExample(of method: MethodDescription, into writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("name")
    writer.string("example")
    writer.key("params")
    writer.beginArray()
    var document = JSONDocument(engine: .scanner)
    if (try? document.parse(copying: method.example)) != nil, let params = document.root {
      var members = params.members
      while let member = members.next() {
        writer.beginObject()
        writer.key("name")
        writer.value(member.key.rawText)
        writer.key("value")
        writer.value(member.value.rawText)
        writer.endObject()
      }
    }
    writer.endArray()
    writer.key("result")
    writer.beginObject()
    writer.key("name")
    writer.string(method.result.label)
    writer.key("value")
    writer.value(method.exampleResult.utf8.span)
    writer.endObject()
    writer.endObject()
  }
}

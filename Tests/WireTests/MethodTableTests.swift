// The method table: complete, its examples true, the docs and the OpenRPC document made from it.

import Foundation
import Ledger
import Testing

@testable import Wire

@Suite struct MethodTableTests {
  static let isWriting = ProcessInfo.processInfo.environment["LEDGERLINE_WRITE_DOCS"] != nil

  static func place(_ path: String) -> URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: path)
  }

  @Test func everyMethodIsDescribedOnce() {
    let described = MethodTable.all.map(\.method)
    #expect(described.count == MethodName.allCases.count)
    #expect(Set(described) == Set(MethodName.allCases))
  }

  /// The results of all examples that need no server, one after another on the same books.
  private func results() -> [MethodName: String] {
    var conversation = Conversation()
    var results: [MethodName: String] = [:]
    for method in MethodTable.all {
      for (name, params) in method.preparation { _ = Self.result(name, params, &conversation) }
      switch method.method {
      // The document is too long to stand in itself; the others are the server's.
      case .discover, .serverInfo, .serverStats, .serverMetrics, .serverCancel, .snapshotsCreate,
        .snapshotsList, .balancesExplain, .changesRead, .changesSubscribe:
        continue
      default:
        results[method.method] = Self.result(method.method, method.example, &conversation)
      }
    }
    return results
  }

  private static func result(
    _ method: MethodName, _ params: String, _ conversation: inout Conversation
  ) -> String {
    let answer = conversation.answer(#"{"id":1,"method":"\#(method.name)","params":\#(params)}"#) ?? ""
    let head = #"{"jsonrpc":"2.0","id":1,"result":"#
    #expect(answer.hasPrefix(head), "\(method.name): \(answer)")
    return String(answer.dropFirst(head.count).dropLast())
  }

  /// After a change of the table: `LEDGERLINE_WRITE_DOCS=1 swift test --filter MethodTable`.
  @Test func examplesAreTrueAndTheDocsSayThem() throws {
    let results = results()
    let docs = Self.place("docs/methods.md")
    if Self.isWriting {
      try Self.source(of: results).write(
        to: Self.place("Sources/Wire/Methods/MethodExampleResults.swift"), atomically: true, encoding: .utf8)
      try MethodTable.markdown(results: results).write(to: docs, atomically: true, encoding: .utf8)
      Issue.record("written anew; build and run again without LEDGERLINE_WRITE_DOCS")
      return
    }
    for method in MethodTable.all {
      #expect(method.exampleResult == results[method.method] ?? method.sample, "\(method.method.name)")
    }
    let page = try String(contentsOf: docs, encoding: .utf8)
    #expect(
      page == MethodTable.markdown(),
      "docs/methods.md is old: LEDGERLINE_WRITE_DOCS=1 swift test --filter MethodTable")
  }

  private static func source(of results: [MethodName: String]) -> String {
    var text = """
      // Results of the methods' examples, written by a test: see docs/methods.md.

      package enum MethodExampleResults {
        package static let all: [MethodName: String] = [

      """
    for method in MethodName.allCases {
      guard let result = results[method] else { continue }
      text += "    .\(method):\n      #\"\(result)\"#,\n"
    }
    return text + "  ]\n}\n"
  }

  @Test func theOpenRPCDocumentIsWhole() throws {
    var conversation = Conversation()
    let answer = Self.result(.discover, "{}", &conversation)
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any])
    #expect(object["openrpc"] as? String == "1.3.2")
    let methods = try #require(object["methods"] as? [[String: Any]])
    #expect(methods.compactMap { $0["name"] as? String } == MethodTable.all.map { "\($0.method.name)" })
    for method in methods {
      let params = try #require(method["params"] as? [[String: Any]])
      let names = Set(params.compactMap { $0["name"] as? String })
      #expect(names.count == params.count, "every param once")
      let examples = try #require(method["examples"] as? [[String: Any]])
      #expect(!examples.isEmpty, "\(method["name"] ?? "")")
      for given in examples.compactMap({ $0["params"] as? [[String: Any]] }).joined() {
        #expect(
          names.contains(given["name"] as? String ?? ""), "\(method["name"] ?? ""): \(given)")
      }
      for param in params { #expect(param["name"] is String && param["schema"] is [String: Any], "\(param)") }
      let result = try #require(method["result"] as? [String: Any])
      #expect(result["name"] is String && result["schema"] is [String: Any], "\(method["name"] ?? "")")
    }
    let components = try #require(object["components"] as? [String: Any])
    let schemas = try #require(components["schemas"] as? [String: Any])
    for reference in answer.split(separator: "#/components/schemas/").dropFirst() {
      let name = String(reference.prefix { $0 != "\"" })
      #expect(schemas[name] != nil, "\(name) is no component")
    }
  }

  @Test func everyParamThatIsDescribedIsTaken() {
    var conversation = Conversation()
    for method in MethodTable.all {
      for param in method.params where param.name != "FIELD_OPERATOR" {
        let answer =
          conversation.answer(
            #"{"id":1,"method":"\#(method.method.name)","params":{"\#(param.name)":{"x":1}}}"#)
          ?? ""
        #expect(!answer.contains("unknown member \(param.name)"), "\(method.method.name) \(answer)")
      }
    }
  }
}

// The methods as a page of the docs.

extension MethodTable {
  /// The text of `docs/methods.md`.
  /// - Parameter results: results of the examples.
  package static func markdown(results: [MethodName: String] = MethodExampleResults.all) -> String {
    var page = """
      # Methods

      Made from the method table in `Sources/Wire/Methods`; do not edit it here. After a change there:
      `LEDGERLINE_WRITE_DOCS=1 swift test --filter MethodTable`. A test runs every example below, one after
      another, on empty books whose clock stands at 2025-01-01, and compares the answer; of the answers that
      depend on the server (`server.*`, `snapshots.*`, `changes.*`, `rpc.discover`) it compares the members.

      What holds for all methods (framing, ids, batches, `timeout_ms`, `key`, `stream`, values, errors) is told in
      [protocol.md](protocol.md). Members that are not listed are refused by name.


      """
    for method in all { page += "- [`\(method.method.name)`](#\(anchor(method)))\n" }
    for method in all { append(method, results[method.method] ?? method.sample, to: &page) }
    return page
  }

  /// GitHub's anchor of a heading that is the method's name.
  private static func anchor(_ method: MethodDescription) -> String {
    "\(method.method.name)".filter { $0 != "." }
  }

  private static func append(_ method: MethodDescription, _ result: String?, to page: inout String) {
    page += "\n## \(method.method.name)\n\(method.summary)\n"
    if !method.params.isEmpty {
      page += "\n| param | type | |\n|---|---|---|\n"
      for param in method.params {
        let required = param.isRequired ? "required. " : ""
        page += "| `\(param.name)` | \(escaped(param.schema.label)) | \(required)\(escaped(param.text)) |\n"
      }
    }
    page += "\nResult: \(method.result.label)."
    if !method.errors.isEmpty {
      page +=
        " Errors: " + method.errors.map { "`\($0.dataCode)` (\($0.text))" }.joined(separator: ", ") + "."
    }
    page += "\n\n```json\n"
    page += "→ {\"id\":1,\"method\":\"\(method.method.name)\",\"params\":\(method.example)}\n"
    if let result { page += "← {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\(result)}\n" }
    page += "```\n"
  }

  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for character in text { escaped += character == "|" ? "\\|" : String(character) }
    return escaped
  }
}

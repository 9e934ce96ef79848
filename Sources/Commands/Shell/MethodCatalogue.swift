// The methods that the shell knows: of the live server when it tells, else those of this program.

import LedgerlineClient
import Wire

/// Methods with their parameters and a line about each.
package struct MethodCatalogue: Sendable {
  package struct Method: Sendable, Equatable {
    package let name: String
    package let summary: String
    /// Names of members; those that must be given end with `*`.
    package let parameters: [String]
  }

  package let methods: [Method]

  package init(methods: [Method]) { self.methods = methods.sorted { $0.name < $1.name } }

  /// Reads the OpenRPC document that `rpc.discover` answers; nil when it lists no methods.
  package init?(openRPC document: JSONNode) {
    let methods = (document["methods"]?.array ?? []).compactMap { node -> Method? in
      guard let name = node["name"]?.string else { return nil }
      let parameters = (node["params"]?.array ?? []).compactMap { parameter -> String? in
        // A list takes a member for each field and operator: too many to show one by one.
        guard let member = parameter["name"]?.string, !FilterVocabulary.isCondition(member) else {
          return nil
        }
        return parameter["required"] == .bool(true) ? member + "*" : member
      }
      let summary = node["summary"]?.string ?? node["description"]?.string ?? ""
      return Method(name: name, summary: summary, parameters: parameters)
    }
    guard !methods.isEmpty else { return nil }
    self.init(methods: methods)
  }

  package func method(_ name: String) -> Method? { methods.first { $0.name == name } }

  /// The methods whose name contains `pattern`; all without one.
  package func matching(_ pattern: String?) -> [Method] {
    guard let pattern, !pattern.isEmpty else { return methods }
    return methods.filter { $0.name.contains(pattern.lowercased()) }
  }

  /// What a server of this version can be asked, for one that does not tell.
  package static let builtIn = MethodCatalogue(
    methods: MethodTable.all.map { description in
      let members = description.params.filter { $0.name != ParamDescription.condition }
      return Method(
        name: "\(description.method.name)", summary: description.summary,
        parameters: members.map { $0.isRequired ? $0.name + "*" : $0.name })
    })
}

/// Fields of the filter methods and their operators.
package enum FilterVocabulary {
  package static let operators = MethodTable.operatorNames

  /// Whether a member's name is a field, `_` and an operator.
  static func isCondition(_ name: String) -> Bool {
    operators.contains { name.hasSuffix("_" + $0) }
  }

  /// Fields of what the method asks about; none when it asks about nothing that is filtered.
  package static func fields(of method: String) -> [String] {
    MethodTable.fieldNames(of: String(method.prefix { $0 != "." }))
  }
}

/// Completion of what is being typed.
package enum ShellCompletion {
  package static let dotCommands = [
    ".help", ".mode", ".once", ".output", ".pager", ".quit", ".rows", ".timing",
  ]

  /// Candidates for the end of `text`.
  package static func complete(_ text: String, _ catalogue: MethodCatalogue) -> Completion {
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    let first = words.first.map(String.init) ?? ""
    if words.count == 1 {
      let names = first.hasPrefix(".") ? dotCommands : catalogue.methods.map(\.name)
      // The blank shows that the word is whole, and lets the next Tab complete members.
      return Completion(
        replaced: first.utf8.count, candidates: names.filter { $0.hasPrefix(first) }.map { $0 + " " })
    }
    if first.hasPrefix(".") { return dotArgument(first, String(words[words.count - 1])) }
    return member(of: first, text, catalogue)
  }

  private static func dotArgument(_ command: String, _ word: String) -> Completion {
    let candidates =
      switch command {
      case ".mode": OutputMode.allCases.map(\.rawValue)
      case ".timing", ".pager": ["on", "off"]
      default: [String]()
      }
    return Completion(replaced: word.utf8.count, candidates: candidates.filter { $0.hasPrefix(word) })
  }

  /// Names of members, of fields and of operators, by what stands before the word.
  private static func member(of method: String, _ text: String, _ catalogue: MethodCatalogue) -> Completion {
    let word = String(text.reversed().prefix { !" {[,:\"=".contains($0) }.reversed())
    let before = text.dropLast(word.count)
    let known = (catalogue.method(method)?.parameters ?? []).map {
      $0.hasSuffix("*") ? String($0.dropLast()) : $0
    }
    let fields = FilterVocabulary.fields(of: method)
    let context = String(before.filter { $0 != " " }.suffix(14))
    func completion(_ names: [String], _ ending: String) -> Completion {
      let found = names.filter { $0.hasPrefix(word) }.map { $0 + ending }
      return Completion(replaced: word.utf8.count, candidates: found)
    }
    if context.hasSuffix("\"operator\":\"") { return completion(FilterVocabulary.operators, "\"") }
    if context.hasSuffix("\"field\":\"") || context.hasSuffix("\"sort_by\":\"") {
      return completion(fields, "\"")
    }
    if context.hasSuffix("\"sort_order\":\"") { return completion(["asc", "desc"], "\"") }
    if before.hasSuffix("sort_by=") { return completion(fields, "") }
    if before.hasSuffix("sort_order=") { return completion(["asc", "desc"], "") }
    if before.hasSuffix("\"") {
      let inFilter = before.contains("\"filters\"") && !before.hasSuffix("}")
      return completion(known + (inFilter ? ["field", "operator", "value", "values"] : []), "\":")
    }
    guard before.hasSuffix(" ") else { return Completion(replaced: 0, candidates: []) }
    // The list methods take FIELD_OPERATOR members.
    if method.hasSuffix(".list") {
      if let field = fields.filter({ word.hasPrefix($0 + "_") }).max(by: { $0.count < $1.count }) {
        return completion(FilterVocabulary.operators.map { field + "_" + $0 }, "=")
      }
      return Completion(
        replaced: word.utf8.count,
        candidates: known.filter { $0.hasPrefix(word) }.map { $0 + "=" }
          + fields.filter { $0.hasPrefix(word) }.map { $0 + "_" })
    }
    return completion(known, "=")
  }
}

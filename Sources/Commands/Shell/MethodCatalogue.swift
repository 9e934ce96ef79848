// The methods that the shell knows: of the live server when it tells, else a built-in list.

import LedgerlineClient

/// Methods with their parameters and a line about each.
package struct MethodCatalogue: Sendable {
  package struct Method: Sendable, Equatable {
    package let name: String
    package let summary: String
    /// Names of members; those that must be given end with `*`.
    package let parameters: [String]

    package init(_ name: String, _ parameters: String = "", _ summary: String = "") {
      self.name = name
      self.summary = summary
      self.parameters = parameters.split(separator: " ").map(String.init)
    }

    init(name: String, summary: String, parameters: [String]) {
      self.name = name
      self.summary = summary
      self.parameters = parameters
    }
  }

  package let methods: [Method]

  package init(methods: [Method]) { self.methods = methods.sorted { $0.name < $1.name } }

  /// Reads the OpenRPC document that `rpc.discover` answers; nil when it lists no methods.
  package init?(openRPC document: JSONNode) {
    let methods = (document["methods"]?.array ?? []).compactMap { node -> Method? in
      guard let name = node["name"]?.string else { return nil }
      let parameters = (node["params"]?.array ?? []).compactMap { parameter -> String? in
        guard let name = parameter["name"]?.string else { return nil }
        return parameter["required"] == .bool(true) ? name + "*" : name
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

  /// What can be asked of a server that does not tell.
  package static let builtIn = MethodCatalogue(methods: [
    Method("server.ping", "", "Answers \"pong\"."),
    Method("server.info", "", "Version, limits, durability, counts."),
    Method("server.stats", "", "Counts and latencies of each method, memory, queues."),
    Method("server.metrics", "", "The statistics as Prometheus text."),
    Method("server.cancel", "id* connection", "Stops a request."),
    Method("rpc.discover", "", "Describes every method (OpenRPC)."),
    Method("snapshots.create", "wait", "Writes a snapshot."),
    Method("snapshots.list", "", "The snapshots on disk."),
    Method("ledgers.create", "name* ledger_id meta_data", "Makes a ledger."),
    Method("ledgers.get", "ledger_id*", "One ledger."),
    Method("ledgers.list", "limit offset cursor sort_by sort_order include_count", "A page of ledgers."),
    Method("ledgers.filter", filter, "Ledgers by conditions."),
    Method("ledgers.update", "ledger_id* name*", "Renames a ledger."),
    Method(
      "identities.create", "identity_id identity_type first_name last_name meta_data", "Makes an identity."),
    Method("identities.get", "identity_id*", "One identity."),
    Method(
      "identities.list", "limit offset cursor sort_by sort_order include_count", "A page of identities."),
    Method("identities.filter", filter, "Identities by conditions."),
    Method("metadata.update", "id* meta_data*", "Merges metadata into an entity."),
    Method("balances.create", createBalance, "Makes a balance."),
    Method("balances.create_many", "balances* atomic", "Makes many balances."),
    Method("balances.get", "balance_id* at include", "One balance."),
    Method("balances.get_by_indicator", "indicator* currency*", "The balance that an indicator names."),
    Method("balances.list", "limit offset cursor sort_by sort_order include_count", "A page of balances."),
    Method("balances.filter", filter + " fields", "Balances by conditions."),
    Method("balances.update_identity", "balance_id* identity_id*", "Gives a balance to an identity."),
    Method("transactions.create", createTransaction, "Moves an amount."),
    Method("transactions.create_many", "transactions* atomic return", "Moves many amounts."),
    Method("transactions.get", "transaction_id*", "One transaction."),
    Method("transactions.get_by_reference", "reference*", "The transaction of a reference."),
    Method(
      "transactions.list", "limit offset cursor sort_by sort_order include_count", "A page of transactions."),
    Method("transactions.filter", filter, "Transactions by conditions."),
  ])

  private static let filter =
    "filters* logical_operator sort_by sort_order limit offset cursor include_count"
  private static let createBalance =
    "ledger_id* currency* balance_id identity_id indicator currency_multiplier track_fund_lineage "
    + "allocation_strategy created_at meta_data"
  private static let createTransaction =
    "source* destination* currency* reference* precise_amount amount precision description allow_overdraft "
    + "overdraft_limit effective_date meta_data dry_run"
}

/// Fields of the filter methods and their operators.
package enum FilterVocabulary {
  package static let operators = [
    "eq", "neq", "gt", "gte", "lt", "lte", "in", "like", "between", "ilike", "isnull", "isnotnull",
  ]

  package static let balanceFields = [
    "balance_id", "ledger_id", "identity_id", "indicator", "currency", "balance", "credit_balance",
    "debit_balance", "inflight_balance", "inflight_credit_balance", "inflight_debit_balance",
    "currency_multiplier", "version", "track_fund_lineage", "allocation_strategy", "created_at",
  ]

  package static let transactionFields = [
    "transaction_id", "source", "destination", "reference", "currency", "precise_amount", "amount",
    "precision",
    "status", "description", "effective_date", "created_at",
  ]

  package static func fields(of method: String) -> [String] {
    switch method.prefix(while: { $0 != "." }) {
    case "balances": balanceFields
    case "transactions": transactionFields
    case "ledgers": ["ledger_id", "name", "created_at"]
    case "identities": ["identity_id", "created_at"]
    default: []
    }
  }
}

/// Completion of what is being typed.
package enum ShellCompletion {
  package static let dotCommands = [
    ".explain", ".help", ".mode", ".once", ".output", ".pager", ".quit", ".rows", ".timing",
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

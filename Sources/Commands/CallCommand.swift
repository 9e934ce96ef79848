// `ledgerline call`: one request, its result as JSON.

import LedgerlineClient
import Platform

enum CallCommand {
  static let subcommand = Subcommand(
    name: "call", arguments: "METHOD [JSON|-|key=value …]",
    summary: "Send one request and print its result as JSON.",
    details: """
      Params are a JSON object, - to read one from standard input, or key=value words. A refusal is printed to
      standard error as the server's error object, and the exit code is 3.

      Examples:
        ledgerline call server.ping
        ledgerline call balances.get '{"balance_id":"bln_1"}' --pretty
        ledgerline call balances.list currency_eq=USD limit=5
        ledgerline call balances.filter - < filter.json
        ledgerline call balances.filter '{"filters":[]}' --stream > balances.ndjson
      """,
    options: [
      OptionSpecification("pretty", short: "p", help: "indent the JSON"),
      OptionSpecification(
        "timeout", value: .required("MS"), help: "the server gives up after so many milliseconds"),
      OptionSpecification(
        "stream", help: "ask for a stream; rows are printed one a line as they come, bounded memory"),
      OptionSpecification("meta", help: "print {\"result\":…,\"position\":…}"),
      OptionSpecification("key", value: .required("TEXT"), help: "idempotency key of a write"),
      OptionSpecification(
        "min-position", value: .required("N"), help: "a read waits until this journal position is visible"),
      .json,
    ] + ServerConnection.options
  ) { options, console in try run(options, console) }

  private static func run(_ options: CommandOptions, _ console: Console) throws -> ExitCode {
    guard let method = options.arguments.first else { throw OptionError.missingArgument("METHOD") }
    let params = try params(Array(options.arguments.dropFirst()))
    var call = CallOptions()
    if options.has("timeout") {
      call.timeout = .milliseconds(try options.number("timeout", in: 1...86_400_000, default: 0))
    }
    if options.has("min-position") {
      call.minPosition = try options.number("min-position", in: 0...Int.max, default: 0)
    }
    call.key = options.value("key")
    call.wantsMeta = options.has("meta")
    call.wantsStream = options.has("stream")
    let client = try ServerConnection.connect(options, console)
    let isPretty = options.has("pretty")
    do {
      // What lies in a file or a pipe the server writes itself.
      let isListing = method.hasSuffix(".list") || method.hasSuffix(".filter")
      if call.wantsStream, isListing, let descriptor = console.output.descriptor,
        DescriptorOutput.takesRows(descriptor)
      {
        call.wantsStream = false
        try console.output.flush()
        _ = try client.write(method, params, into: DescriptorOutput(descriptor, .ndjson), options: call)
        return .ok
      }
      var rowCount = 0
      let answer = try client.call(method, params, options: call) { rows in
        rowCount += rows.count
        for row in rows { try console.print(row.text) }
      }
      if rowCount > 0 || (options.has("stream") && answer.result["count"] != nil) {
        try console.output.flush()
        if console.isErrorTerminal { try console.note(counted(rowCount, "row")) }
        return .ok
      }
      var result = answer.result
      if options.has("meta") {
        result = .object([
          .init("result", result), .init("position", answer.position.map { .int($0) } ?? .null),
        ])
      }
      try console.print(isPretty ? result.prettyText : result.text)
      return .ok
    } catch let refusal as Refusal {
      try console.note(isPretty ? refusal.node.prettyText : refusal.node.text)
      return .refused
    }
  }

  /// Params out of the words after the method.
  static func params(_ words: [String]) throws -> JSONNode? {
    guard let first = words.first else { return nil }
    let text = words == ["-"] ? try StandardInput.readAll() : first
    if words.count == 1, words == ["-"] || text.first == "{" || text.first == "[" {
      do { return try JSONNode.parse(text) } catch { throw CommandFailure(.ownError, "params: \(error)") }
    }
    var members: [JSONNode.Member] = []
    for word in words {
      guard let equals = word.firstIndex(of: "="), equals != word.startIndex else {
        throw ShellSyntaxError.expectedKeyValue(word)
      }
      let key = String(word[..<equals])
      guard !members.contains(where: { $0.name == key }) else { throw ShellSyntaxError.keyTwice(key) }
      members.append(.init(key, ShellLine.value(word[word.index(after: equals)...])))
    }
    return .object(members)
  }
}

/// Standard input of the process.
enum StandardInput {
  /// The longest input that is taken whole.
  static let limit = 64 << 20

  /// All of standard input as text.
  static func readAll() throws -> String { try readAll(descriptor: 0, name: "standard input") }

  /// All that is left of a descriptor as text.
  static func readAll(descriptor: CInt, name: String) throws -> String {
    var reader = LineReader(descriptor: descriptor, limit: limit)
    var bytes: [UInt8] = []
    while true {
      let line = try reader.next()
      if line == .end { break }
      guard case .line(let text) = line, bytes.count + text.count < limit else {
        throw CommandFailure(.ownError, "\(name) has more than \(limit >> 20) MiB")
      }
      bytes.append(contentsOf: text)
      bytes.append(UInt8(ascii: "\n"))
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw CommandFailure(.ownError, "\(name) is not UTF-8")
    }
    return text
  }
}

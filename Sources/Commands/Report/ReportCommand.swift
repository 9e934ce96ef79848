// `ledgerline report`: a file of named questions, asked of one moment and rendered.

import LedgerlineClient
import Platform
import Wire

enum ReportCommand {
  enum Format: String, CaseIterable { case table, csv, json, html }

  static let subcommand = Subcommand(
    name: "report", arguments: "FILE.json|-",
    summary: "Run a file of named queries and render their answers: tables, CSV, JSON or one HTML page.",
    details: """
      The file holds what balances.query takes, and how each answer is shown; docs/reporting.md tells it, with a
      trial balance, top holders, dormant balances and daily flows. All queries see the books at one moment.

      Examples:
        ledgerline report docs/reports/trial-balance.json
        ledgerline report flows.json --set since=2024-01-01 --format html --output flows.html
        ledgerline report trial-balance.json --only by_ledger --format csv > ledgers.csv
      """,
    options: [
      OptionSpecification(
        "format", value: .required("FORMAT"),
        help: "table, csv, json or html (default: by the name of --output, else table)"),
      OptionSpecification(
        "output", short: "o", value: .required("FILE"), help: "write to FILE (default: standard output)"),
      OptionSpecification(
        "set", value: .required("NAME=VALUE[,…]"), help: "values for the report's variables"),
      OptionSpecification(
        "only", value: .required("NAME[,NAME]"), help: "run these queries of the file alone"),
      OptionSpecification(
        "rows", value: .required("N"), help: "rows of a table before its middle is cut (0: all)"),
      OptionSpecification(
        "timeout", value: .required("MS"), help: "the server gives up after so many milliseconds"),
      .json,
    ] + ServerConnection.options
  ) { options, console in try run(options, console) }

  private static func run(_ options: CommandOptions, _ console: Console) throws -> ExitCode {
    guard let path = options.arguments.first else { throw OptionError.missingArgument("FILE.json") }
    try options.atMost(1)
    let day = Int(console.clock.wallTime().count / 86_400_000_000)
    let report = try load(path, options, today: day)
    let output = options.value("output")
    let format = try format(options, output)
    let client = try ServerConnection.connect(options, console)
    var call = CallOptions()
    call.wantsMeta = true
    if options.has("timeout") {
      call.timeout = .milliseconds(try options.number("timeout", in: 1...86_400_000, default: 0))
    }
    let params = JSONNode.object([.init("queries", .array(report.sections.map(\.question)))])
    let answer = try client.call("balances.query", params, options: call)
    let result = try ReportResult(
      report, answer.result, position: answer.position, date: CalendarDay(day).text)
    let rowLimit = try options.number("rows", in: 0...1_000_000, default: 40)
    let text =
      switch format {
      case .table: ReportText.table(result, table(console, output, rowLimit))
      case .csv: ReportText.csv(result)
      case .json: ReportText.json(result).prettyText + "\n"
      case .html: ReportPage.html(result)
      }
    let sink = try output.map { TextSink(try OpenFile($0, .replace)) } ?? console.output
    try sink.write(text)
    try sink.flush()
    if let output, console.isErrorTerminal {
      try console.note("\(counted(result.sections.count, "table")) written to \(output)")
    }
    return .ok
  }

  /// A file has no terminal: no colours.
  private static func table(_ console: Console, _ output: String?, _ rowLimit: Int) -> TableRenderer {
    var renderer = console.table(rowLimit: rowLimit)
    if output != nil { renderer.paint = .none }
    return renderer
  }

  private static func format(_ options: CommandOptions, _ output: String?) throws -> Format {
    let chosen = try options.choice("format", of: Format.allCases.map(\.rawValue)).flatMap(Format.init)
    if let chosen { return chosen }
    if options.has("json") { return .json }
    let ending = output?.split(separator: ".").last.map(String.init)
    return ending.flatMap(Format.init) ?? .table
  }

  private static func load(
    _ path: String, _ options: CommandOptions, today: Int
  ) throws -> ReportFile {
    let text = path == "-" ? try StandardInput.readAll() : try read(path)
    var settings: [String: String] = [:]
    for word in (options.value("set") ?? "").split(separator: ",") {
      guard let equals = word.firstIndex(of: "="), equals != word.startIndex else {
        throw CommandFailure(.ownError, "--set takes NAME=VALUE, not \"\(word)\"")
      }
      settings[String(word[..<equals])] = String(word[word.index(after: equals)...])
    }
    do {
      return try ReportFile(text, settings: settings, today: today).only(options.value("only"))
    } catch let fault as ReportFault {
      throw CommandFailure(.ownError, (path == "-" ? "" : path + ": ") + fault.text)
    }
  }

  private static func read(_ path: String) throws -> String {
    let file = try OpenFile(path, .read)
    return try StandardInput.readAll(descriptor: file.descriptor, name: path)
  }
}

extension ReportFile {
  /// The report with only the named queries, in the order of the file.
  func only(_ names: String?) throws -> ReportFile {
    guard let names else { return self }
    let wanted = names.split(separator: ",").map(String.init)
    let known = sections.map(\.name)
    for name in wanted where !known.contains(name) {
      let meant = Suggestion.nearest(to: name, among: known).map { "; did you mean \($0)?" } ?? ""
      throw ReportFault(
        place: "--only", what: "there is no query \"\(name)\"\(meant) (\(known.joined(separator: ", ")))")
    }
    return ReportFile(title: title, note: note, sections: sections.filter { wanted.contains($0.name) })
  }
}

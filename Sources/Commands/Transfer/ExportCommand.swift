// `ledgerline export`: rows of the books into a file, streamed.

import LedgerlineClient
import Platform
import Wire

enum ExportCommand {
  static let subcommand = Subcommand(
    name: "export",
    arguments: "balances|transactions|ledgers|identities [FIELD_OPERATOR=VALUE …] | --changes",
    summary:
      "Write balances, transactions, ledgers or identities as NDJSON or CSV, or what has happened to them.",
    details: """
      Rows come oldest first, from one consistent view, in bounded memory. What is written can be imported.
      With --changes: every change of the books in the order of its position, as changes.read gives it.

      Examples:
        ledgerline export balances --output balances.ndjson
        ledgerline export transactions currency_eq=USD created_at_gte=2024-01-01 --format csv > usd.csv
        ledgerline export --changes --output changes.ndjson --resume
      """,
    options: [
      OptionSpecification(
        "format", value: .required("FORMAT"), help: "ndjson or csv (default: by --output, else ndjson)"),
      OptionSpecification(
        "output", short: "o", value: .required("FILE"), help: "write to FILE (default: standard output)"),
      .json,
    ] + ChangesExport.options + ServerConnection.options
  ) { options, console in try run(options, console) }

  private static func run(_ options: CommandOptions, _ console: Console) throws -> ExitCode {
    if options.has("changes") { return try ChangesExport.run(options, console) }
    for option in ["from", "to", "resume"] where options.has(option) {
      throw CommandFailure(.ownError, "--\(option) is for --changes")
    }
    let names = BookEntity.allCases.map(\.rawValue)
    guard let name = options.arguments.first else {
      throw OptionError.missingArgument(names.joined(separator: "|"))
    }
    guard let entity = BookEntity(rawValue: name) else {
      let meant = Suggestion.nearest(to: name, among: names).map { "; did you mean \($0)?" } ?? ""
      throw CommandFailure(.ownError, "cannot export \"\(name)\"\(meant) (\(names.joined(separator: ", ")))")
    }
    let output = options.value("output")
    let chosen = try options.choice("format", of: ImportSource.Format.allCases.map(\.rawValue))
    let format = chosen.flatMap(ImportSource.Format.init) ?? output.flatMap(ImportSource.format) ?? .ndjson
    let filters = try options.arguments.dropFirst().map { try filter($0, of: entity) }
    let client = try ServerConnection.connect(options, console)
    let sink = try output.map { TextSink(try OpenFile($0, .replace)) } ?? console.output
    let display = ProgressDisplay(
      console, label: "Exporting \(name)", noun: "rows", total: nil,
      isQuiet: output == nil && console.isOutputTerminal)
    let params = JSONNode.object([
      .init("filters", .array(filters)), .init("sort_by", .string("created_at")),
      .init("sort_order", .string("asc")),
    ])
    if let descriptor = sink.descriptor, DescriptorOutput.takesRows(descriptor) {
      try sink.flush()
      let delivery = try client.write(
        "\(name).filter", params, into: DescriptorOutput(descriptor, format.delivered))
      return try tell(delivery.rowCount, hasFile: output != nil, display, options, console)
    }
    var call = CallOptions()
    call.wantsStream = true
    var writer = RowWriter(format: format)
    let answer = try client.call("\(name).filter", params, options: call) { rows in
      for row in rows { try sink.write(writer.text(row)) }
      try display.update(writer.rowCount)
    }
    // A server that streams nothing answers the rows themselves.
    if writer.rowCount == 0, let rows = ResultRows(answer.result) {
      for row in rows.rows { try sink.write(writer.text(row)) }
    }
    try sink.flush()
    try display.clear()
    if let count = answer.result["count"]?.int, count != writer.rowCount {
      throw CommandFailure(
        .partly, "the server counted \(counted(count, "row")), but \(writer.rowCount) arrived")
    }
    return try tell(writer.rowCount, hasFile: output != nil, display, options, console)
  }

  private static func tell(
    _ rowCount: Int, hasFile: Bool, _ display: ProgressDisplay, _ options: CommandOptions, _ console: Console
  ) throws -> ExitCode {
    if options.has("json"), hasFile {
      try console.print(JSONNode.object([.init("rows", .int(rowCount))]).text)
    } else if hasFile || console.isErrorTerminal {
      try display.finish(rowCount)
    }
    return .ok
  }

  /// `FIELD_OPERATOR=VALUE` as a filter.
  static func filter(_ word: String, of entity: BookEntity) throws -> JSONNode {
    guard let equals = word.firstIndex(of: "="), equals != word.startIndex else {
      throw CommandFailure(.ownError, "\"\(word)\" is not FIELD_OPERATOR=VALUE, such as currency_eq=USD")
    }
    let key = word[..<equals]
    let value = String(word[word.index(after: equals)...])
    guard
      let operation = FilterVocabulary.operators.filter({ key.hasSuffix("_" + $0) }).max(by: {
        $0.count < $1.count
      })
    else {
      throw CommandFailure(
        .ownError,
        "\"\(key)\" ends with no operator ("
          + FilterVocabulary.operators.map { "_" + $0 }.joined(separator: " ") + ")")
    }
    var members: [JSONNode.Member] = [
      .init("field", .string(String(key.dropLast(operation.count + 1)))),
      .init("operator", .string(operation)),
    ]
    switch operation {
    case "isnull", "isnotnull": break
    case "in", "between":
      let values = value.split(separator: ",", omittingEmptySubsequences: false)
      members.append(.init("values", .array(values.map { .string(String($0)) })))
    default: members.append(.init("value", .string(value)))
    }
    return .object(members)
  }
}

extension ImportSource.Format {
  /// How the server is told.
  fileprivate var delivered: DescriptorOutput.Format {
    switch self {
    case .csv: .csv
    case .ndjson: .ndjson
    }
  }
}

/// Rows as lines of a file.
struct RowWriter {
  let format: ImportSource.Format
  private(set) var rowCount = 0
  private var columns: [String] = []

  init(format: ImportSource.Format) { self.format = format }

  /// The line of a row; the first one of a CSV brings the header with it.
  mutating func text(_ row: JSONNode) -> String {
    rowCount += 1
    guard format == .csv, let members = row.members else { return row.text + "\n" }
    var text = ""
    if rowCount == 1 {
      columns = members.map(\.name)
      text = CSVWriter.record(columns)
    }
    return text
      + CSVWriter.record(
        columns.map { column in
          switch members.first(where: { $0.name == column })?.value {
          case nil, .null?: nil
          case .string(let text)?, .number(let text)?: text
          case let value?: value.text
          }
        })
  }
}

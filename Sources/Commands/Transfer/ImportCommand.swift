// `ledgerline import`: a file of balances or transactions into the books.

import LedgerlineClient
import Platform

enum ImportCommand {
  static let subcommand = Subcommand(
    name: "import", arguments: "FILE", summary: "Load balances or transactions from an NDJSON or CSV file.",
    details: """
      One JSON object a line, or CSV (RFC 4180) with a header of field names; an empty field is absent. Fields that
      the server computes (a balance's totals, a transaction's status) are ignored, so what export writes can be
      read: amounts come back by importing the transactions after the balances.

      Records that are refused are told with their line on standard error, the others are imported; then the exit
      code is 4. How far the import is stands in FILE.ledgerline-progress: after an interruption --resume goes on.

      Examples:
        ledgerline import balances.ndjson
        ledgerline import payments.csv --kind transactions --batch 2000
        ledgerline import payments.csv --resume
      """,
    options: [
      OptionSpecification(
        "kind", value: .required("KIND"),
        help: "balances, transactions, ledgers or identities (default: by the first record)"),
      OptionSpecification(
        "format", value: .required("FORMAT"), help: "ndjson or csv (default: by the name of the file)"),
      OptionSpecification(
        "batch", value: .required("N"), help: "records in a request, 1 to 10000 (default 8000)"),
      OptionSpecification("resume", help: "go on where an interrupted import stopped"),
      OptionSpecification("restart", help: "forget an interrupted import and begin at the first record"),
      OptionSpecification(
        "max-errors", value: .required("N"), help: "lines told on standard error (default 20)"),
      .json,
    ] + ServerConnection.options
  ) { options, console in try run(options, console) }

  private static func run(_ options: CommandOptions, _ console: Console) throws -> ExitCode {
    guard let path = options.arguments.first else { throw OptionError.missingArgument("FILE") }
    try options.atMost(1)
    let format = try format(options, path)
    let bound = try options.number("max-errors", in: 0...1_000_000, default: 20)
    var source = try ImportSource(path: path, format: format)
    let progress = try progress(options, path, format, byteCount: source.byteCount)
    let client = try ServerConnection.connect(options, console)
    let display = ProgressDisplay(
      console, label: "Importing \(progress.entity.rawValue)", noun: "bytes", total: source.byteCount)
    var told = 0
    var lastSaved = console.clock.monotonicTime()
    let importer = Importer(
      client, progress,
      reportFault: { line, text in
        told += 1
        guard told <= bound else { return }
        try display.clear()
        try console.note("\(path):\(line): \(TextWidth.printable(text))")
      },
      advance: { progress, readBytes in
        try display.update(readBytes)
        let now = console.clock.monotonicTime()
        guard now - lastSaved >= .milliseconds(500) else { return }
        lastSaved = now
        try progress.save(for: path)
      })
    let start = console.clock.monotonicTime()
    let outcome: ImportProgress
    do { outcome = try importer.run(&source) } catch {
      try? display.clear()
      try? importer.saved.save(for: path)
      try? console.note("\(counted(importer.saved.records, "record")) done; go on with --resume")
      throw error
    }
    try display.clear()
    try FileReplacement.remove(ImportProgress.path(of: path))
    if told > bound { try console.note("… and \(counted(told - bound, "more error"))") }
    try tell(outcome, since: progress, console.clock.monotonicTime() - start, options, console)
    return outcome.failed > 0 ? .partly : .ok
  }

  private static func tell(
    _ outcome: ImportProgress, since start: ImportProgress, _ elapsed: Duration, _ options: CommandOptions,
    _ console: Console
  ) throws {
    if options.has("json") {
      return try console.print(
        JSONNode.object([
          .init("kind", .string(outcome.entity.rawValue)), .init("records", .int(outcome.records)),
          .init("created", .int(outcome.created)), .init("failed", .int(outcome.failed)),
          .init("resumed_at", .int(start.records)), .init("seconds", .number(fixed(seconds(elapsed), 3))),
        ]).text)
    }
    let rate = seconds(elapsed) > 0 ? Double(outcome.records - start.records) / seconds(elapsed) : 0
    let failed =
      outcome.failed > 0 ? ", " + console.paint(.red, counted(outcome.failed, "record") + " refused") : ""
    try console.print(
      "\(groupedByThousands(String(outcome.created))) \(outcome.entity.rawValue) imported\(failed) "
        + "in \(readable(elapsed)) (\(readableRate(rate)))")
  }

  private static func format(_ options: CommandOptions, _ path: String) throws -> ImportSource.Format {
    if let name = try options.choice("format", of: ImportSource.Format.allCases.map(\.rawValue)) {
      return ImportSource.Format(rawValue: name) ?? .ndjson
    }
    guard let format = ImportSource.format(of: path) else {
      throw CommandFailure(.ownError, "\"\(path)\" is named neither .ndjson nor .csv: give --format")
    }
    return format
  }

  /// Where to begin, and how.
  private static func progress(
    _ options: CommandOptions, _ path: String, _ format: ImportSource.Format, byteCount: Int
  ) throws -> ImportProgress {
    let kept = options.has("restart") ? nil : try ImportProgress.load(for: path)
    if let kept {
      guard options.has("resume") else {
        throw CommandFailure(
          .ownError,
          "an import of \"\(path)\" was interrupted after \(counted(kept.records, "record")): "
            + "--resume goes on, --restart begins again")
      }
      guard byteCount >= kept.byteCount else {
        throw CommandFailure(
          .ownError, "\"\(path)\" is shorter than when its import began: --restart begins again")
      }
      return kept
    }
    let names = BookEntity.allCases.map(\.rawValue)
    let chosen = try options.choice("kind", of: names).flatMap(BookEntity.init)
    guard let entity = try chosen ?? detect(path, format) else {
      throw CommandFailure(
        .ownError, "cannot tell what \"\(path)\" holds: give --kind \(names.joined(separator: "|"))")
    }
    return ImportProgress(
      id: String(KernelRandom.word(), radix: 36), entity: entity,
      batchSize: try options.number("batch", in: 1...10_000, default: 8000), byteCount: byteCount)
  }

  private static func detect(_ path: String, _ format: ImportSource.Format) throws -> BookEntity? {
    var source = try ImportSource(path: path, format: format)
    while let record = try source.next() {
      guard case .success(let members) = record.content else { continue }
      return BookEntity.detect(Set(members.map(\.name)))
    }
    // An empty file holds no balances as well as no transactions.
    return .balances
  }
}

// `ledgerline check`: a data directory read and verified, byte by byte, without changing anything.

import LedgerlineClient
import Platform
import Storage

enum CheckCommand {
  static let subcommand = Subcommand(
    name: "check", arguments: "DIR", summary: "Verify a data directory without changing anything.",
    details: """
      Every block of every snapshot and every fact of the journal is read and its checksum compared. The newest
      snapshot is loaded, the journal replayed on it, and the books must keep their own rules: debits equal
      credits in each currency, chains are complete, indexes find every row. The older snapshot and the journal
      must give the newest one. It may run beside a server, on a read-only disk, and on a copy that was made
      while a server ran. Damage is told by file and offset, with exit code 1.

      Examples:
        ledgerline check ./ledgerline-data
        ledgerline check ./ledgerline-data --json
      """,
    options: [.json]
  ) { options, console in
    try options.atMost(1)
    guard let path = options.arguments.first else { throw OptionError.missingArgument("DIR") }
    let asJSON = options.has("json")
    let display = ProgressDisplay(console, label: "Checking", noun: "bytes", total: nil, isQuiet: asJSON)
    var byteCount = 0
    let report: CheckReport
    do throws(StorageError) {
      report = try Check.check(path) { count in
        byteCount += count
        try? display.update(byteCount)
      }
    } catch { throw CommandFailure(.ownError, error.description) }
    try display.clear()
    if asJSON { try console.print(node(report).text) } else { try tell(report, console, display.elapsed) }
    return report.isSound ? .ok : .ownError
  }

  /// The report as text; what is wrong goes to standard error.
  static func tell(_ report: CheckReport, _ console: Console, _ elapsed: Duration) throws {
    if !report.snapshots.isEmpty {
      var table = console.table(rowLimit: 0)
      table.showsFooter = false
      try console.output.write(table.render(grid(report)))
    }
    if !report.segments.isEmpty {
      let byteCount = report.segments.reduce(0) { $0 + $1.byteCount }
      let last = report.segments.last?.lastPosition ?? 0
      try console.print(
        "journal: facts \(report.segments[0].firstPosition) to \(last) in "
          + "\(counted(report.segments.count, "segment")), \(readableBytes(byteCount)); "
          + "\(counted(report.replayedFactCount, "fact")) replayed")
    }
    if let position = report.comparedPosition {
      try console.print("the older snapshot and the journal give the newest one, at position \(position)")
    }
    if report.position > 0 { try console.print("books checked at position \(report.position)") }
    for note in report.notes { try console.print(console.paint(.dim, "note: ") + TextWidth.printable(note)) }
    for fault in report.faults {
      try console.note(console.errorPaint(.red, "damage: ") + TextWidth.printable(fault.description))
    }
    for broken in report.brokenInvariants {
      try console.note(console.errorPaint(.red, "broken rule: ") + TextWidth.printable(broken))
    }
    let read = "\(readableBytes(report.byteCount)) read in \(readable(elapsed))"
    let count = report.faults.count + report.brokenInvariants.count
    try console.print(
      report.isSound
        ? console.paint(.green, console.box.tick) + " sound, \(read)"
        : console.paint(.red, console.box.cross) + " \(counted(count, "fault")), \(read)")
  }

  private static func grid(_ report: CheckReport) -> Grid {
    var grid = Grid(columns: [
      Grid.Column("snapshot", .text), Grid.Column("position", .number), Grid.Column("balances", .amount),
      Grid.Column("transactions", .amount), Grid.Column("ledgers", .amount),
      Grid.Column("identities", .amount), Grid.Column("size", .number), Grid.Column("loaded", .text),
    ])
    for snapshot in report.snapshots {
      grid.append([
        .text(snapshot.name), .text(String(snapshot.position)), .text(String(snapshot.balanceCount)),
        .text(String(snapshot.transactionCount)), .text(String(snapshot.ledgerCount)),
        .text(String(snapshot.identityCount)), .text(readableBytes(snapshot.byteCount)),
        .text(snapshot == report.loaded ? "yes" : "no"),
      ])
    }
    return grid
  }

  static func node(_ report: CheckReport) -> JSONNode {
    .object([
      .init("path", .string(report.path)), .init("sound", .bool(report.isSound)),
      .init("bytes", .int(report.byteCount)), .init("position", .number(String(report.position))),
      .init("replayed_facts", .int(report.replayedFactCount)),
      .init("compared_position", report.comparedPosition.map { .number(String($0)) } ?? .null),
      .init(
        "segments",
        .array(
          report.segments.map { segment in
            .object([
              .init("number", .number(String(segment.number))), .init("bytes", .int(segment.byteCount)),
              .init("first_position", .number(String(segment.firstPosition))),
              .init("last_position", .number(String(segment.lastPosition))),
            ])
          })),
      .init(
        "snapshots",
        .array(
          report.snapshots.map { snapshot in
            .object([
              .init("name", .string(snapshot.name)), .init("position", .number(String(snapshot.position))),
              .init("bytes", .int(snapshot.byteCount)), .init("balances", .int(snapshot.balanceCount)),
              .init("transactions", .int(snapshot.transactionCount)),
              .init("ledgers", .int(snapshot.ledgerCount)), .init("identities", .int(snapshot.identityCount)),
              .init("loaded", .bool(snapshot == report.loaded)),
            ])
          })),
      .init(
        "faults",
        .array(
          report.faults.map { fault in
            .object([
              .init("path", .string(fault.path)), .init("offset", fault.offset.map { .int($0) } ?? .null),
              .init("finding", .string(fault.finding)),
            ])
          })),
      .init("broken_rules", .array(report.brokenInvariants.map { .string($0) })),
      .init("notes", .array(report.notes.map { .string($0) })),
    ])
  }
}

// The figures of the comparison as a table and as JSON.

import Ledger
import LedgerlineClient
import Platform

enum QueryReport {
  static func print(_ figures: [ShapeFigure], _ throughput: Throughput) {
    let head = ["best", "median", "p99", "p99/med", "writer: median", "p99", "rows", "total", "bytes"]
    line("shape", "µs", head, "digest")
    for figure in figures {
      let beside = figure.besideWriter
      line(
        figure.shape.name, figure.shape.title,
        [
          microseconds(figure.alone.best), microseconds(figure.alone.median), microseconds(figure.alone.p99),
          hundredths(figure.alone.p99 * 100 / max(figure.alone.median, 1)),
          beside.map { microseconds($0.median) } ?? "", beside.map { microseconds($0.p99) } ?? "",
          "\(figure.answer.rowCount)", figure.answer.totalCount.map(String.init) ?? "", "\(figure.byteCount)",
        ], figure.answer.digest)
    }
    let mix = figures.filter { $0.shape.name.hasPrefix("q") }
    let sum = mix.reduce(0) { $0 + $1.alone.median }
    let besideSum = mix.reduce(0) { $0 + ($1.besideWriter?.median ?? 0) }
    Self.out(
      "sum of the medians of the mix (\(mix.count) shapes): \(microseconds(sum)) µs"
        + (besideSum > 0 ? ", beside the writer \(microseconds(besideSum)) µs" : ""))
    guard throughput.wanted > 0 else { return }
    let kept = throughput.alone > 0 ? Int(throughput.besideQueries / throughput.alone * 100) : 0
    Self.out(
      "transfers a second: wanted \(throughput.wanted), achieved \(Int(throughput.achieved)); at full speed "
        + "\(Int(throughput.alone)) alone, \(Int(throughput.besideQueries)) (\(kept) %) beside "
        + "\(Int(throughput.queriesMeanwhile)) queries a second")
  }

  static func json(
    _ figures: [ShapeFigure], _ throughput: Throughput, _ options: QueryOptions, _ compared: ComparedBooks
  ) -> JSONNode {
    let count = compared.books.counts.balances
    var members: [JSONNode.Member] = [
      .init("engine", .string("ledgerline")), .init("scope", .string("in process")),
      .init("rows", .int(options.balanceCount)),
      .init("bytes_created", .int(compared.bytesWhenCreated / count)),
      .init("bytes_after_transfers", .int(compared.bytesAfterTransfers / count)),
      .init("shapes", .array(figures.map(json))),
    ]
    if throughput.wanted > 0 {
      members.append(
        .init(
          "transfers",
          .object([
            .init("wanted", .int(throughput.wanted)), .init("achieved", .int(Int(throughput.achieved))),
            .init("alone", .int(Int(throughput.alone))),
            .init("beside_queries", .int(Int(throughput.besideQueries))),
            .init("queries_meanwhile", .int(Int(throughput.queriesMeanwhile))),
          ])))
    }
    return .object(members)
  }

  static func json(_ figure: ShapeFigure) -> JSONNode {
    var members: [JSONNode.Member] = [
      .init("name", .string(figure.shape.name)), .init("title", .string(figure.shape.title)),
      .init("runs", .int(figure.alone.runCount)), .init("best_ns", .int(Int(figure.alone.best))),
      .init("median_ns", .int(Int(figure.alone.median))), .init("p99_ns", .int(Int(figure.alone.p99))),
      .init("rows", .int(figure.answer.rowCount)), .init("bytes", .int(figure.byteCount)),
      .init("digest", .string(figure.answer.digest)),
    ]
    if let total = figure.answer.totalCount { members.append(.init("total", .int(total))) }
    if let beside = figure.besideWriter {
      members.append(.init("writer_median_ns", .int(Int(beside.median))))
      members.append(.init("writer_p99_ns", .int(Int(beside.p99))))
    }
    return .object(members)
  }

  private static func line(_ name: String, _ title: String, _ cells: [String], _ digest: String) {
    var text = padded(name, 6) + padded(title, 36)
    for cell in cells { text += String(repeating: " ", count: max(1, 11 - cell.count)) + cell }
    out(text + "  " + digest)
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }

  private static func out(_ text: String) { LedgerlineBenchmarks.print(text) }

  /// Nanoseconds as microseconds with one digit after the point.
  static func microseconds(_ nanoseconds: Int64) -> String {
    let tenths = (nanoseconds + 50) / 100
    return "\(tenths / 10).\(tenths % 10)"
  }

  private static func hundredths(_ value: Int64) -> String {
    "\(value / 100).\(value % 100 < 10 ? "0" : "")\(value % 100)"
  }
}

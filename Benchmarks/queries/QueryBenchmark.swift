// Every question of the comparison asked in process: alone, beside a writer, and the writer beside them.

import Ledger
import LedgerlineClient
import Platform
import Samples

/// What `LedgerlineBenchmarks queries` is told to do.
struct QueryOptions {
  static let usage = """
    usage: LedgerlineBenchmarks queries [--rows N] [--writer RATE] [--only NAME,…] [--json FILE] [--export DIR]
           [--socket] [--seconds S]
    """
  var balanceCount = 1_000_000
  /// Transfers a second beside the second round of questions; 0 for no second round.
  var writerRate = 0
  /// Beginnings of the names of shapes; empty for all.
  var only: [String] = []
  var jsonPath: String?
  var exportDirectory: String?
  /// Through a socket instead of in process.
  var usesSocket = false
  /// For each shape, at most.
  var limit = Duration.milliseconds(500)

  init() {}

  init(_ arguments: [String]) throws {
    var rest = arguments[...]
    func value(_ name: String) throws -> String {
      guard let value = rest.popFirst() else { throw ComparisonFailure.wrongUsage("\(name) wants a value") }
      return value
    }
    func number(_ name: String, _ range: ClosedRange<Int>) throws -> Int {
      let text = try value(name)
      guard let number = Int(text), range.contains(number) else {
        throw ComparisonFailure.wrongUsage("\(name) is \(text); \(range) is accepted")
      }
      return number
    }
    while let argument = rest.popFirst() {
      switch argument {
      case "--rows": balanceCount = try number(argument, 100...100_000_000)
      case "--writer": writerRate = try number(argument, 0...10_000_000)
      case "--only": only = try value(argument).split(separator: ",").map(String.init)
      case "--json": jsonPath = try value(argument)
      case "--export": exportDirectory = try value(argument)
      case "--socket": usesSocket = true
      case "--seconds": limit = .seconds(try number(argument, 1...60))
      default: throw ComparisonFailure.wrongUsage("\(argument)?\n\(Self.usage)")
      }
    }
  }

  /// Those that were asked for; parts of the report only by name.
  func shapes(_ books: DemoBooks) -> [QueryShape] {
    let shapes = QueryShapes(books)
    if only.isEmpty { return shapes.all() }
    return (shapes.all() + shapes.parts()).filter { shape in only.contains { shape.name.hasPrefix($0) } }
  }
}

/// What one shape has shown.
struct ShapeFigure {
  let shape: QueryShape
  let alone: ShapeTiming
  let answer: ComparedAnswer
  let byteCount: Int
  var besideWriter: ShapeTiming?
}

enum QueryBenchmark {
  static func run(_ scale: Scale) throws {
    var options = QueryOptions()
    options.balanceCount = scale(1_000_000, least: 5000)
    options.writerRate = scale(200_000)
    if case .tiny = scale { options.limit = .milliseconds(1) }
    try run(options)
  }

  /// A report of 50 questions as one request and one by one, in process and through the socket.
  static func runBatch(_ scale: Scale) throws {
    var options = QueryOptions()
    options.balanceCount = scale(1_000_000, least: 5000)
    options.only = ["b50", "s50"]
    if case .tiny = scale { options.limit = .milliseconds(1) }
    try run(options)
    try QuerySocketBenchmark.run(options)
  }

  static func run(arguments: [String]) throws {
    let options = try QueryOptions(arguments)
    if options.usesSocket { try QuerySocketBenchmark.run(options) } else { try run(options) }
  }

  private static func run(_ options: QueryOptions) throws {
    let clock = SystemClock()
    let start = clock.monotonicTime()
    let compared = try ComparedBooks(balanceCount: options.balanceCount)
    let count = compared.books.counts.balances
    let elapsed = (clock.monotonicTime() - start).wholeNanoseconds / 1_000_000
    print(
      "queries in process: \(count) balances made in \(elapsed) ms, resident bytes a balance: "
        + "\(compared.bytesWhenCreated / count) created, "
        + "\(compared.bytesAfterTransfers / count) after as many transfers")
    let shapes = options.shapes(compared.demo)
    // All of them, whichever are asked here.
    if let directory = options.exportDirectory {
      try QueryExport.write(compared, QueryShapes(compared.demo).all(), to: directory)
      print("  exported to \(directory)")
    }
    var answerer = QueryAnswerer(compared.books)
    var figures = try alone(shapes, options, &answerer)
    var throughput = Throughput()
    if options.writerRate > 0 {
      let decoded = try figures.map { try answerer.decode($0.shape).decoded }
      try beside(&figures, decoded, options, compared, &answerer, &throughput)
    }
    QueryReport.print(figures, throughput)
    if let path = options.jsonPath {
      let report = QueryReport.json(figures, throughput, options, compared)
      try FileReplacement.replace(path, with: Array(report.prettyText.utf8))
    }
  }

  /// First round: nobody writes, so that answers can be compared.
  private static func alone(
    _ shapes: [QueryShape], _ options: QueryOptions, _ answerer: inout QueryAnswerer
  ) throws -> [ShapeFigure] {
    var figures: [ShapeFigure] = []
    for shape in shapes {
      let (decoded, reason) = try answerer.decode(shape)
      guard let decoded else {
        print("  \(shape.name) \(shape.title): left out: \(reason.prefix(200))")
        continue
      }
      let byteCount = try answerer.answer(decoded)
      let answer = try ComparedAnswer(answerer.text())
      let timing = try ShapeTiming.measure(limit: options.limit) { try answerer.answer(decoded) }
      figures.append(ShapeFigure(shape: shape, alone: timing, answer: answer, byteCount: byteCount))
    }
    return figures
  }

  /// Second round, beside a writer; then the writer at full speed, alone and beside all shapes in turn.
  private static func beside(
    _ figures: inout [ShapeFigure], _ decoded: [DecodedShape?], _ options: QueryOptions,
    _ compared: ComparedBooks, _ answerer: inout QueryAnswerer, _ throughput: inout Throughput
  ) throws {
    let writer = try TransferWriter(
      compared, rate: options.writerRate, from: compared.demo.transferCount & ~1)
    for index in figures.indices {
      guard let shape = decoded[index] else { continue }
      figures[index].besideWriter = try ShapeTiming.measure(limit: options.limit) {
        try answerer.answer(shape)
      }
    }
    let (count, rate) = try writer.stop()
    throughput.wanted = options.writerRate
    throughput.achieved = rate
    var next = (compared.demo.transferCount & ~1) + count

    let clock = SystemClock()
    let pause = try EventLoop(capacity: 1)
    let alone = try TransferWriter(compared, rate: nil, from: next)
    var start = clock.monotonicTime()
    while clock.monotonicTime() - start < options.limit * 4 {
      _ = try pause.wait(timeout: .milliseconds(20))
    }
    let (aloneCount, aloneRate) = try alone.stop()
    throughput.alone = aloneRate
    next += aloneCount

    // A mix of questions that are short where they should be; the report of 50 would hide them.
    let mix = decoded.compactMap { $0 }.filter { $0.shape.name.hasPrefix("q") }
    if mix.isEmpty { return }
    let pressed = try TransferWriter(compared, rate: nil, from: next)
    start = clock.monotonicTime()
    var asked = 0
    while clock.monotonicTime() - start < options.limit * 4 {
      try answerer.answer(mix[asked % mix.count])
      asked += 1
    }
    let elapsed = (clock.monotonicTime() - start).wholeNanoseconds
    throughput.besideQueries = try pressed.stop().rate
    throughput.queriesMeanwhile = Double(asked) * 1e9 / Double(elapsed)
  }
}

/// Transfers a second.
struct Throughput {
  var wanted = 0
  /// Beside the second round, where `wanted` were asked for.
  var achieved = 0.0
  /// As many as go, nobody asking.
  var alone = 0.0
  /// As many as go, while the mix of 23 is asked back to back.
  var besideQueries = 0.0
  /// Queries a second meanwhile.
  var queriesMeanwhile = 0.0
}

// What durability costs inside the process: the bare sync, one transfer at a time through it, and throughput.

import Amounts
import Columns
import Ledger
import Platform
import Storage

/// Measures the disk by itself first: one block past the page cache into a preallocated file, then fdatasync.
/// Then transfers through books and journal: one at a time with `always` (the ratio to the bare sync says
/// what is ours), and batches with `always` and `none`.
enum JournalBenchmark {
  private static let balanceCount = 10_000

  static func runLatencies(_ scale: Scale) throws {
    let directory = try makeDirectory()
    defer { try? directory.removeWithContents() }
    try latencies(directory, scale)
  }

  static func run(_ scale: Scale) throws {
    let directory = try makeDirectory()
    defer { try? directory.removeWithContents() }
    try throughputs(directory, scale)
    try reading(directory, scale)
  }

  private static func makeDirectory() throws -> DataDirectory {
    let root = CurrentProcess.environment("LEDGERLINE_BENCHMARK_DIR") ?? "/tmp"
    let path = PathName.join(root, "ledgerline-journal-benchmark-\(CurrentProcess.id)")
    return try DataDirectory(creating: path)
  }

  private static func throughputs(_ directory: DataDirectory, _ scale: Scale) throws {
    for batchSize in [1, 64, 1000, 8000] {
      var rates: [Double] = []
      for durability in [Durability.none, .always, .none, .always] {
        rates.append(try throughput(directory, durability, batchSize: batchSize, scale))
      }
      let none = max(rates[0], rates[2])
      let always = max(rates[1], rates[3])
      print(
        "batches of \(batchSize): none \(Int(none)) transfers/s, always \(Int(always)): "
          + "\(Int(100 * always / none)) %")
    }
  }

  // MARK: One at a time

  /// The bare sync, and transfers that wait for theirs awake and asleep, in turns of the same minutes.
  private static func latencies(_ directory: DataDirectory, _ scale: Scale) throws {
    let turnCount = scale(40, least: 2)
    let turn = scale(200, least: 10)
    let bare = try BareFile(directory, blockCount: turnCount * turn)
    var options = JournalOptions()
    let awake = try Rig(directory, "awake", options)
    options.spinningTime = .zero
    let asleep = try Rig(directory, "asleep", options)
    var times = (bare: Times(), awake: Times(), asleep: Times())
    for round in 0..<turnCount {
      let numbers = round * turn..<(round + 1) * turn
      for block in numbers { try bare.sync(block, &times.bare) }
      for number in numbers { try awake.single(number, isAwake: true, &times.awake) }
      for number in numbers { try asleep.single(number, isAwake: false, &times.asleep) }
    }
    print("bare sync of 4 KiB, preallocated, past the page cache: \(times.bare)")
    print("durable transfer, spinning: \(times.awake), \(times.awake.ratio(to: times.bare)) x the bare sync")
    let commitMedian = microseconds(awake.journal.report.commitTimes.quantile(0.5))
    print("  commit on the journal's thread: p50 \(commitMedian) us")
    print("durable transfer, asleep: \(times.asleep), \(times.asleep.ratio(to: times.bare)) x the bare sync")
    try awake.end()
    try asleep.end()
    try directory.removeFile(BareFile.name)
  }

  /// A preallocated file, one block of which is written and synced at a time.
  private struct BareFile: ~Copyable {
    static let name = "bare"
    private let file: OpenFile
    private let memory: PageMemory
    private let clock = SystemClock()

    init(_ directory: DataDirectory, blockCount: Int) throws {
      let file = try directory.open(Self.name, .createNew, direct: true)
      let memory = try PageMemory(byteCount: 1 << 20, prefault: true)
      var done = 0
      while done < blockCount * 4096 {
        let piece = min(memory.byteCount, blockCount * 4096 - done)
        unsafe try file.write(UnsafeRawBufferPointer(start: memory.base, count: piece), at: done)
        done += piece
      }
      try file.sync()
      unsafe memory.base.initializeMemory(as: UInt8.self, repeating: 7, count: 4096)
      self.file = file
      self.memory = memory
    }

    func sync(_ block: Int, _ times: inout Times) throws {
      let start = clock.monotonicTime()
      unsafe try file.write(UnsafeRawBufferPointer(start: memory.base, count: 4096), at: block * 4096)
      try file.sync()
      times.add(clock.monotonicTime() - start)
    }
  }

  // MARK: Books and journal

  private struct Rig {
    let books: Books
    let journal: Journal
    let balances: [Identifier]
    let directory: DataDirectory

    /// - Parameter name: of a directory of its own, which `end` removes.
    init(_ root: DataDirectory, _ name: String, _ options: JournalOptions) throws {
      directory = try root.makeDirectory(name)
      let log = FactLog()
      let books = Books(clock: SystemClock(), seed: (1, 2), log: log)
      let journal = try Journal(
        directory, .random(), log: log, start: JournalStart(position: 0), options: options)
      var made: [Identifier] = []
      while made.count < balanceCount {
        let items = (0..<1000).map { _ in NewBalance(ledger: .generalLedger, currency: "USD") }
        let first = books.counts.balances
        try Self.carryOut(.createBalances(items, atomic: true), books, journal)
        made += (first..<first + 1000).map { books.balances.identifiers[RowIndex($0)] }
      }
      self.books = books
      self.journal = journal
      balances = made
      try journal.waitUntilDurable(books.position)
    }

    @discardableResult
    static func carryOut(_ command: Command, _ books: Books, _ journal: Journal) throws -> UInt64 {
      let bound = Books.encodedByteBound(of: command, key: nil)
      while true {
        switch journal.admit(byteBound: bound) {
        case .admitted:
          defer { journal.settle(byteBound: bound) }
          return try books.execute(command).position
        case .later, .busy: Thread.yield()
        case .full(let error): throw error
        case .failed(let error): throw error
        }
      }
    }

    func transfer(_ number: Int) -> NewTransaction {
      let source = number &* 7919 % balanceCount
      let destination = (source + 1 + number % (balanceCount - 1)) % balanceCount
      return NewTransaction(
        source: .balance(balances[source]), destination: .balance(balances[destination]),
        amount: Amount(Int64(number % 10_000 + 1)), precision: 100, currency: "USD",
        reference: "payment-\(number)", allowOverdraft: true)
    }

    /// One client: the next transfer begins when this one is durable.
    func single(_ number: Int, isAwake: Bool, _ times: inout Times) throws {
      let command = Command.postTransaction(transfer(number))
      let clock = SystemClock()
      let start = clock.monotonicTime()
      let position = try Self.carryOut(command, books, journal)
      if isAwake {
        while journal.committedPosition < position { Thread.yield() }
      } else {
        try journal.waitUntilDurable(position)
      }
      times.add(clock.monotonicTime() - start)
    }

    func end() throws {
      try journal.stop()
      try directory.removeWithContents()
    }
  }

  /// Commands one after the other without waiting, so that the journal gathers what comes; the time runs
  /// until all is committed.
  private static func throughput(
    _ root: DataDirectory, _ durability: Durability, batchSize: Int, _ scale: Scale
  ) throws -> Double {
    var options = JournalOptions()
    options.durability = durability
    let rig = try Rig(root, "throughput", options)
    let count = max(batchSize, scale(batchSize == 1 ? 400_000 : 1_600_000))
    let commands = (0..<count / batchSize).map { batch in
      let first = batch * batchSize
      return batchSize == 1
        ? Command.postTransaction(rig.transfer(first))
        : .postTransactions((first..<first + batchSize).map { rig.transfer($0) }, atomic: true)
    }
    let clock = SystemClock()
    let start = clock.monotonicTime()
    var position: UInt64 = 0
    for command in commands { position = try Rig.carryOut(command, rig.books, rig.journal) }
    while rig.journal.committedPosition < position { Thread.yield() }
    let seconds = Double((clock.monotonicTime() - start).wholeNanoseconds) / 1e9
    let report = rig.journal.report
    if durability == .always {
      print(
        "  \(report.groupCount) groups, \(report.recordByteCount / UInt64(count)) bytes a transfer, commit "
          + "p50 \(microseconds(report.commitTimes.quantile(0.5))) us, "
          + "p99 \(microseconds(report.commitTimes.quantile(0.99))) us")
    }
    try rig.end()
    return Double(commands.count * batchSize) / seconds
  }

  // MARK: Reading

  private static func reading(_ root: DataDirectory, _ scale: Scale) throws {
    let rig = try Rig(root, "reading", JournalOptions())
    let batch = 8000
    for number in 0..<scale(200) {
      let first = number * batch
      try Rig.carryOut(
        .postTransactions((first..<first + batch).map { rig.transfer($0) }, atomic: true), rig.books,
        rig.journal)
    }
    try rig.journal.stop()
    let clock = SystemClock()
    for _ in 0..<3 {
      let start = clock.monotonicTime()
      let survey = try JournalSurvey(rig.directory, nil)
      var reader = JournalReader(survey, after: 0)
      var recordCount = 0
      while let run = try reader.next() { recordCount += run.recordCount }
      let seconds = Double((clock.monotonicTime() - start).wholeNanoseconds) / 1e9
      let megabytes = Double(reader.end?.readByteCount ?? 0) / 1e6
      print(
        "reading and verifying: \(Int(megabytes)) MB, \(recordCount) facts in \(Int(seconds * 1000)) ms: "
          + "\(Int(megabytes / seconds)) MB/s")
    }
    try rig.directory.removeWithContents()
  }

  private static func microseconds(_ time: Duration) -> Int64 { time.wholeNanoseconds / 1000 }
}

/// Latencies in the order they were measured.
private struct Times: CustomStringConvertible {
  private var nanoseconds: [Int64] = []

  mutating func add(_ time: Duration) { nanoseconds.append(time.wholeNanoseconds) }

  private func quantile(_ share: Double) -> Double {
    let sorted = nanoseconds.sorted()
    return sorted.isEmpty
      ? 0 : Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]) / 1000
  }

  func ratio(to other: Times) -> Double {
    (quantile(0.5) / max(other.quantile(0.5), 0.001) * 100).rounded() / 100
  }

  var description: String {
    "p50 \(quantile(0.5).rounded()) us, p90 \(quantile(0.9).rounded()) us, p99 \(quantile(0.99).rounded()) us"
  }
}

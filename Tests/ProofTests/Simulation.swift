// Many clients, one server without threads, a disk that fails: every interleaving follows from one seed.

import Amounts
import Columns
import Ledger
import LedgerSupport
import Platform
import TestSupport

@testable import Storage

/// What clients ask, what the server and its disk do next, is drawn at random. Beside the server stand the
/// naive books, which carry out the same commands in the same order and go back to where a start finds the
/// books.
struct Simulation {
  typealias Answer = Result<Execution, Refusal>

  /// A client with one request at a time. After a crash it asks again: what it asked may or may not be done.
  struct Client {
    enum State {
      case idle
      case sent
      /// Carried out; the answer leaves when everything up to the position is durable.
      case waits(Answer, until: UInt64)
    }
    var source: CommandSource
    var request: (command: Command, key: IdempotencyKey?)?
    var state = State.idle
    var answeredCount = 0
  }

  /// A crash that is to happen within the next calls of the disk.
  private struct Doom {
    var callsLeft: Int
    /// Nil for a kill, which leaves the kernel's cache as it is.
    var loss: PowerLoss?
    /// What the crash leaves, and what had been acknowledged by then.
    var remains: (disk: SimulatedDisk, history: History)?
  }

  /// What a client was shown of a balance: never later than that may it be less.
  struct Sight {
    var balance: Identifier
    var version: UInt32
    var position: UInt64
  }

  private(set) var objections: [String] = []
  private(set) var counts: [String: Int] = [:]
  private let seed: Seed
  private var generator: SeededGenerator
  private let clock = ManualClock()
  private var disk = SimulatedDisk()
  private let history = Guarded(History())
  private let doom = Guarded<Doom?>(nil)
  private var server: DrivenServer?
  private var twin = NaiveBooks()
  /// The naive books after each command, by position.
  private var pasts: [UInt64: NaiveBooks] = [:]
  private var clients: [Client] = []
  /// Sights on their way to clients, and those that arrived.
  private var looking: [Sight] = []
  private var seen: [Identifier: UInt32] = [:]

  init(_ seed: Seed, clientCount: Int = 12) {
    self.seed = seed
    generator = seed.generator
    clients = (0..<clientCount).map { _ in Client(source: CommandSource(Seed(generator.next()))) }
  }

  mutating func run(steps: Int) {
    for number in 0..<steps where objections.isEmpty {
      do throws(StorageError) {
        try step()
      } catch {
        object("\(error) at step \(number)")
      }
      if number % 64 == 0 { checkBooks() }
    }
    if let server, objections.isEmpty {
      do throws(StorageError) { try server.stop() } catch { object("\(error) at the stop") }
      let position = server.books.position
      disk = disk.afterPowerLoss(.losingAll)
      end()
      do throws(StorageError) { try start() } catch { object("\(error) after the stop") }
      if self.server?.books.position != position { object("a clean stop loses facts") }
      checkBooks()
    }
  }

  private mutating func object(_ text: String) { objections.append("\(text), \(seed)") }
  private mutating func count(_ what: String) { counts[what, default: 0] += 1 }
  private mutating func roll(_ sides: Int) -> Int { Int.random(in: 0..<sides, using: &generator) }

  // MARK: Steps

  private mutating func step() throws(StorageError) {
    guard let server else {
      try start()
      _ = meetDoom()
      return
    }
    switch roll(1000) {
    case ..<330: send(roll(clients.count))
    case ..<640: try carryOut(roll(clients.count), server)
    case ..<740: try server.commitOnce()
    case ..<800: try server.commit()
    case ..<830: try server.prepare()
    case ..<850: try server.seal()
    case ..<862: try snapshot(server)
    case ..<900: clock.advance(by: .milliseconds(roll(3000)))
    case ..<905: clock.setWall(Microseconds(clock.wallTime().count - Int64(roll(10_000_000))))
    case ..<985: look(server)
    case ..<994: draw(.random(Seed(generator.next())))
    case ..<996: draw(.losingAll)
    default: draw(nil)
    }
    if !meetDoom() { deliver() }
  }

  private mutating func send(_ number: Int) {
    guard case .idle = clients[number].state else { return }
    if clients[number].request == nil {
      let (command, key) = clients[number].source.command()
      clients[number].request = (command, key)
    }
    clients[number].state = .sent
  }

  private mutating func carryOut(_ number: Int, _ server: DrivenServer) throws(StorageError) {
    guard case .sent = clients[number].state, let request = clients[number].request else { return }
    var answer: Answer?
    try server.execute(request.command, request.key) { answer = $0 }
    guard let answer else { return }
    count(answer.isSuccess ? "done" : "refused")
    let expected = twinAnswer(request.command, request.key, batch: answer.batch)
    if answer != expected { object("answered \(answer), expected \(expected), to \(request.command)") }
    if server.books.position != twin.position {
      object("position \(server.books.position), expected \(twin.position)")
    }
    pasts[twin.position] = twin
    // What an answer shows, a refusal too, is all that was done before it.
    clients[number].state = .waits(answer, until: server.books.position)
  }

  private mutating func twinAnswer(
    _ command: Command, _ key: IdempotencyKey?, batch: Identifier?
  ) -> Answer {
    do throws(Refusal) {
      return .success(try twin.execute(command, key: key, at: clock.wallTime(), batch: batch))
    } catch {
      return .failure(error)
    }
  }

  private mutating func snapshot(_ server: DrivenServer) throws(StorageError) {
    try server.takeSnapshot()
    count("snapshots")
  }

  /// A client reads a balance.
  private mutating func look(_ server: DrivenServer) {
    let identifier = Identifier.custom("bln_\(roll(16))")
    guard let row = server.books.row(.balance, identifier) else { return }
    looking.append(
      Sight(
        balance: identifier, version: server.books.balance(row).version,
        position: server.books.latestChange(.balance, row)))
  }

  /// Lets go what has become durable.
  private mutating func deliver() {
    guard let server else { return }
    let durable = server.durablePosition
    for number in clients.indices {
      guard case .waits(_, let position) = clients[number].state, position <= durable else { continue }
      history.withLock { $0.acknowledge(position) }
      clients[number].state = .idle
      clients[number].request = nil
      clients[number].answeredCount += 1
      count("answers")
    }
    for sight in looking where sight.position <= durable {
      seen[sight.balance] = max(seen[sight.balance] ?? 0, sight.version)
      count("reads")
    }
    looking.removeAll { $0.position <= durable }
  }

  // MARK: Crashes and starts

  /// Has the power go, or the process die, at one of the next changes of the disk; now, if none comes.
  private mutating func draw(_ loss: PowerLoss?) {
    guard doom.withLock({ $0 == nil }) else { return }
    let callsLeft = roll(8)
    doom.withLock { $0 = Doom(callsLeft: callsLeft, loss: loss) }
    watch()
    count(loss == nil ? "kills" : "power losses")
  }

  private func watch() {
    disk.watch { [unowned disk, doom, history] call, _ in
      guard call.kind.isChange else { return }
      doom.withLock { doom in
        guard var next = doom, next.remains == nil else { return }
        next.callsLeft -= 1
        if next.callsLeft < 0 {
          let left = next.loss.map { disk.afterPowerLoss($0) } ?? disk.copy()
          next.remains = (left, history.withLock { $0.copy() })
        }
        doom = next
      }
    }
  }

  /// Whether the crash has come.
  private mutating func meetDoom() -> Bool {
    guard let remains = doom.withLock({ $0?.remains }) else { return false }
    disk.watch(nil)
    disk = remains.disk
    history.withLock { $0 = remains.history }
    doom.withLock { $0 = nil }
    end()
    // Now and then the next crash comes while the server starts.
    if roll(4) == 0 { draw(.random(Seed(generator.next()))) }
    return true
  }

  private mutating func end() {
    server = nil
    looking = []
    // What was asked and not answered is asked again.
    for number in clients.indices { clients[number].state = .idle }
  }

  private mutating func start() throws(StorageError) {
    let opened = try OpenedBooks(disk, clock: clock)
    let cut = opened.books.cut()
    let promised = history.withLock { $0 }
    count("starts")
    if opened.start.position == 0 {
      // New books: nothing was durable before.
      if promised.acknowledged > 0 { object("the books are new, though something was acknowledged") }
      history.withLock { $0 = History() }
      twin = NaiveBooks()
      pasts = [:]
    } else {
      if let objection = promised.objection(position: cut.position, digest: cut.digest()) {
        object(objection)
      }
      guard let past = pasts[cut.position] ?? (cut.position == 1 ? NaiveBooks() : nil) else {
        return object("no command ended at position \(cut.position)")
      }
      twin = past
      history.withLock { $0 = promised.fork(at: cut.position) }
    }
    pasts = pasts.filter { $0.key <= cut.position }
    twin.time = cut.lastInstant
    pasts[cut.position] = twin
    for (balance, version) in seen {
      let row = opened.books.row(.balance, balance)
      if row.map({ opened.books.balance($0).version < version }) ?? true {
        object("a client has seen version \(version) of \(balance), which is gone")
      }
    }
    server = try DrivenServer(opened, history: history.withLock { $0 })
  }

  private mutating func checkBooks() {
    guard let server else { return }
    let cut = server.books.cut()
    objections += server.books.checkInvariants(on: cut).map { "\($0), \(seed)" }
    objections += twin.differences(from: cut).map { "\($0) differs from the naive books, \(seed)" }
  }
}

extension Simulation.Answer {
  fileprivate var isSuccess: Bool {
    if case .success = self { true } else { false }
  }

  /// Identifier of a batch, which only the books can make.
  fileprivate var batch: Identifier? {
    guard case .success(let execution) = self, case .transactions(let batch, _) = execution.outcome else {
      return nil
    }
    return batch
  }
}

// Starting on disks that lost power or were damaged, and judging what is found.

import Ledger
import Platform
import TestSupport

@testable import Storage

/// What a start made of a disk.
enum Finding: Sendable, Equatable {
  case books(position: UInt64, digest: UInt64, report: RecoveryReport)
  case refusal(StorageError)

  var position: UInt64? {
    if case .books(let position, _, _) = self { position } else { nil }
  }
}

/// Examines disks after power losses. Equal disks are started on once: a start depends on nothing else. Any
/// thread.
final class Examiner: Sendable {
  struct Tally: Sendable {
    /// Power losses whose outcome was compared with the history.
    var cuts = 0
    /// Starts: one for each disk that differs from all before.
    var starts = 0
    var violations: [String] = []
  }

  private let clock: ManualClock
  /// Whether a start may name nothing but a torn copy of the manifest; without it only the state is judged.
  private let expectsNoFaults: Bool
  private let findings = Guarded<[UInt64: Finding]>([:])
  private let counts = Guarded(Tally())

  init(clock: ManualClock, expectsNoFaults: Bool = true) {
    self.clock = clock
    self.expectsNoFaults = expectsNoFaults
  }

  var tally: Tally { counts.withLock { $0 } }
  var violations: [String] { counts.withLock { $0.violations } }

  func object(_ text: String) {
    // The first ones tell; thousands would hide them.
    counts.withLock { if $0.violations.count < 5 { $0.violations.append(text) } }
  }

  /// Starts on a disk on which everything is durable, and compares what is there with what was promised.
  /// - Returns: what was found.
  @discardableResult
  func examine(_ disk: SimulatedDisk, _ history: History, _ place: @autoclosure () -> String) -> Finding {
    counts.withLock { $0.cuts += 1 }
    let key = disk.fingerprint { $0 == DirectoryLock.fileName }
    let finding = findings.withLock({ $0[key] }) ?? start(disk)
    findings.withLock { $0[key] = finding }
    if let objection = objection(finding, history) { object("\(objection); \(place())") }
    return finding
  }

  /// As `examine`, after a kill that leaves the kernel's cache as it is: what the start serves must then
  /// outlast a power loss.
  func examineKill(_ disk: SimulatedDisk, _ history: History, _ place: @autoclosure () -> String) {
    counts.withLock { $0.cuts += 1 }
    let copy = disk.copy()
    let finding = start(copy)
    if let objection = objection(finding, history) { object("\(objection); killed, \(place())") }
    // New books serve nothing before their first fact is durable; after another start it has another time.
    guard let position = finding.position, position > 1 || history.acknowledged > 0 else { return }
    examine(copy.afterPowerLoss(.losingAll), history.fork(at: position), "served after a kill, " + place())
  }

  private func start(_ disk: SimulatedDisk) -> Finding {
    counts.withLock { $0.starts += 1 }
    return Self.start(disk, clock)
  }

  static func start(_ disk: SimulatedDisk, _ clock: ManualClock) -> Finding {
    do throws(StorageError) {
      let opened = try OpenedBooks(disk, clock: clock)
      let cut = opened.books.cut()
      return .books(position: cut.position, digest: cut.digest(), report: opened.report)
    } catch {
      return .refusal(error)
    }
  }

  /// What is wrong with a finding after a power loss; nil when nothing is.
  func objection(_ finding: Finding, _ history: History) -> String? {
    switch finding {
    case .refusal(let error): return "the start was refused: \(error)"
    case .books(let position, let digest, let report):
      if report.fellBack { return "a snapshot looks damaged: \(report.faults)" }
      // A copy of the manifest may be torn; nothing else may look damaged.
      if expectsNoFaults, let fault = report.faults.first(where: { !$0.path.hasSuffix(Manifest.fileName) }) {
        return "\(fault)"
      }
      return history.objection(position: position, digest: digest)
    }
  }
}

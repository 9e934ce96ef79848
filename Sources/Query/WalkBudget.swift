// How far a walk may go before it is given up for a scan.

import Columns

/// Time that a walk may take, counted down by estimates as it goes; never by the clock, so that the same
/// question takes the same path. Also keeps the figures for the trace.
struct WalkBudget {
  private var left: Int
  private(set) var rowsScanned = 0
  private(set) var rowsTouched = 0
  private(set) var chunksPruned = 0

  /// - Parameter nanoseconds: `.max` for no bound.
  init(nanoseconds: Int) { left = nanoseconds }

  static var unbounded: WalkBudget { WalkBudget(nanoseconds: .max) }

  var isOver: Bool { left < 0 }

  /// Counts rows tested in columns.
  mutating func scan(_ rowCount: Int) {
    rowsScanned += rowCount
    spend(rowCount / PlannerCosts.windowRowsPerNanosecond)
  }

  /// Counts what a pass over stripes has looked at.
  mutating func note(_ pass: ScanPath.Found) {
    rowsScanned += pass.stripeCount * Layout.stripeRows
    chunksPruned += pass.chunksPruned
  }

  /// Counts rows looked at one by one.
  mutating func touch(_ rowCount: Int, nanosecondsEach: Int = PlannerCosts.touchedRow) {
    rowsTouched += rowCount
    spend(rowCount * nanosecondsEach)
  }

  /// Counts time.
  mutating func spend(_ nanoseconds: Int) {
    if left != .max { left -= nanoseconds }
  }
}

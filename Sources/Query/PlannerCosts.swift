// What the planner reckons with: nanoseconds, measured at ten million balances on one core of the reference
// machine (docs/benchmarks.md).

/// Costs of steps. They need to be right to a factor of two or so: a walk that goes three times past its
/// estimate is given up for the scan.
enum PlannerCosts {
  /// Names, tests, choice: about what any query costs before its first row.
  static let planning = 1_000
  /// A row whose values are read one by one, cold.
  static let touchedRow = 12
  /// A row of a bucket whose exact balance is read and sorted.
  static let bucketRow = 25
  /// A row of a bucket that is tested.
  static let testedBucketRow = 8
  /// A row of a bucket that is passed over, its code compared.
  static let countedBucketRow = 4
  /// A chunk in which the greatest amounts are looked for: its sketches asked for and tested.
  static let zone = 60
  /// Chunks whose maxima are looked at in a nanosecond.
  static let zonesPerNanosecond = 2
  /// A transaction in a chain: a dependent look into memory.
  static let chainRow = 110
  /// Rows that a window over fixed columns tests in a nanosecond.
  static let windowRowsPerNanosecond = 16
  /// A look at a group's counts.
  static let group = 2
  /// A row of a page: its image copied.
  static let image = 40
  /// What may be done while writers are kept out.
  static let instant = 20_000
  /// The same for a walk in the order of balances, which only an instant has: the scan that takes its place
  /// costs a hundred times as much.
  static let instantOrder = 400_000
  /// The same for a walk from the greatest amounts on; a scan in its place takes ten times as long.
  static let instantZones = 60_000
  /// A walk that was thought to be short is given up when it has taken so long there.
  static let instantLimit = 80_000
  /// The same for a walk in the order of balances.
  static let instantOrderLimit = 600_000
  /// A row that passes a scan and is looked at for its place in the order.
  static let sortedRow = 2
  /// A walk is given up when it has taken so many times its estimate.
  static let net = 3
}

// Faults that tests plant in the journal on purpose, to prove that the proofs find them.

/// Each is something that code like this might forget. None can be set in a release build, where asking costs
/// nothing.
struct PlantedFaults: OptionSet, Sendable {
  let rawValue: Int

  /// A group is not synced.
  static let skippedSync = PlantedFaults(rawValue: 1 << 0)
  /// A group is synced before it is written, and said to be durable.
  static let syncBeforeWrite = PlantedFaults(rawValue: 1 << 1)
  /// A new segment's name is not synced.
  static let skippedDirectorySync = PlantedFaults(rawValue: 1 << 2)
  /// A new segment's zeros are not synced.
  static let unsyncedSegment = PlantedFaults(rawValue: 1 << 3)
  /// A segment is begun before the one before it is synced.
  static let unsyncedRoll = PlantedFaults(rawValue: 1 << 4)
  /// Groups claim that what they hold themselves is synced.
  static let earlyWatermark = PlantedFaults(rawValue: 1 << 5)
  /// The checksums of records are not looked at.
  static let uncheckedRecords = PlantedFaults(rawValue: 1 << 6)
  /// Whatever follows a bad place, the journal ends there.
  static let ignoredWatermark = PlantedFaults(rawValue: 1 << 7)
  /// Part of a command counts.
  static let halfUnits = PlantedFaults(rawValue: 1 << 8)
  /// A start serves what only the kernel's cache may hold.
  static let unsecuredTail = PlantedFaults(rawValue: 1 << 9)
  /// A failed sync is tried again, and the second answer believed.
  static let retriedSync = PlantedFaults(rawValue: 1 << 10)
  /// Starts do not tell their groups from those of the start before.
  static let sameIncarnation = PlantedFaults(rawValue: 1 << 11)
  /// A snapshot counts before its facts are durable.
  static let undurableSnapshot = PlantedFaults(rawValue: 1 << 12)

  #if DEBUG
    /// What is planted for the task at hand.
    @TaskLocal static var planted: PlantedFaults = []

    static func has(_ fault: PlantedFaults) -> Bool { planted.contains(fault) }
    static var current: PlantedFaults { planted }
    /// Takes what is planted along to another thread.
    func apply(_ body: () -> Void) { Self.$planted.withValue(self, operation: body) }
  #else
    @inline(__always) static func has(_ fault: PlantedFaults) -> Bool { false }
    static var current: PlantedFaults { [] }
    func apply(_ body: () -> Void) { body() }
  #endif
}

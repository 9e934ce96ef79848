// What shows that the journal once went on further than it does.

import Platform

/// How far the manifest and the snapshots say that the journal went.
struct JournalPromise {
  /// The newest segment with a head has at least this number.
  let leastSegment: UInt64
  /// The last fact is at this position or later.
  let position: UInt64

  init(_ survey: DirectorySurvey, loaded: UInt64?, damagedNames: [String]) {
    let manifest = survey.manifest.manifest
    leastSegment = manifest?.journal ?? 0
    let listed = manifest?.snapshots.map(\.position) ?? []
    let named = (survey.candidates.map(\.name) + damagedNames).compactMap { SnapshotName.position($0) }
    position = (listed + named + [loaded ?? 0]).max() ?? 0
  }

  /// What is not as promised; each names what was lost.
  func broken(by end: JournalEnd, _ segments: JournalSurvey) -> [StorageFault] {
    var faults: [StorageFault] = []
    let least = leastSegment
    if least > 0, !segments.entries.contains(where: { $0.number >= least && $0.beginning != nil }) {
      let entry = segments.entries.first { $0.number >= least }
      let finding =
        switch entry?.state {
        case nil: "the segment is missing"
        case .unreadable(let finding): finding
        case .damaged(let fault): fault.finding
        case .unused, .begun: "the segment is all zeros"
        }
      faults.append(
        StorageFault(
          path: segments.directory.path(of: SegmentName.name(entry?.number ?? least)),
          offset: entry.map { _ in 0 },
          finding: "\(finding); the manifest says that the journal went on in it"))
    }
    if end.position < position {
      faults.append(
        StorageFault(
          path: end.segments.last.map { segments.directory.path(of: SegmentName.name($0.number)) }
            ?? segments.directory.path,
          finding: "the journal ends with fact \(end.position), but \(SnapshotName.of(position: position)) "
            + "shows that fact \(position) was written: writes were lost"))
    }
    return faults
  }
}

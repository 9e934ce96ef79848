// The table of cases: what becomes of the journal at the first place where the next fact is not to be found.

import Platform

/// What was found there, and further on.
struct TailFinding: Equatable {
  /// What stands where the next group or record should.
  enum Place: Equatable {
    /// Nothing was written there, or it was lost.
    case zeros
    /// The segment is full.
    case fileEnd
    /// Something that is no group, or not the one that follows.
    case noGroup
    /// The group is there, one of its records is not right.
    case badRecord
    /// A good group that says that the server stopped after it.
    case cleanStop
    /// Right facts go on, but a later start has begun again before them.
    case superseded
  }

  /// The next segment that was begun, as far as it matters.
  struct Next: Equatable {
    enum Run: Equatable {
      case same
      case later
      case earlier
    }
    /// Which start of the server wrote it, against the segment before.
    var run: Run
    var firstPosition: UInt64
    /// It names the checksum of the record before its first.
    var isChained: Bool
  }

  var place: Place
  /// Position of the fact that is not there.
  var position: UInt64
  /// Whole facts before it that belong to a command whose other facts are not there.
  var hasOpenUnit: Bool
  var next: Next?
  /// Something other than zeros stands further on, and there is no `next`.
  var hasRemains: Bool
  /// The greatest durable watermark of any right head of a group further on, if there is one and no `next`.
  var durable: UInt64?
  /// The watermark that shows that what stands here had been synced, if that is not `position`: behind the
  /// last record of a group it is the position of that record.
  var proof: UInt64?
}

/// What to do.
enum TailVerdict: Equatable {
  enum Damage: Equatable {
    /// A later group says that the fact had been synced.
    case syncedFactIsMissing
    /// A later group says that all of the group had been synced.
    case syncedGroupHasChanged
    /// A later segment begins with facts after it.
    case factsAreMissing(upTo: UInt64)
    /// A later segment begins with a fact that is there already, in the same run.
    case segmentsOverlap
    /// A later segment follows another fact than the one that is there.
    case otherFactBefore
    /// A later segment was written by an earlier run.
    case runsOutOfOrder
    /// A later start has begun in the middle of a command.
    case commandIsCutInTwo
  }

  /// The next segment follows.
  case goesOn
  /// The journal ends here, with nothing behind it.
  case ends
  /// What stands here was never synced as a whole: it is cut off.
  case torn
  case damaged(Damage)
}

/// The rules, in the order in which they are asked. No case is left to doubt.
///
/// | place | next segment begun | right heads further on | verdict |
/// |---|---|---|---|
/// | any | written by an earlier run | | damaged |
/// | any | first fact after p | | damaged: p had been synced before that segment began |
/// | any | first fact before p | | damaged |
/// | any | first fact p, not chained to p - 1 | | damaged |
/// | any | later run, first fact p, but a command is open | | damaged |
/// | any | first fact p | | goes on; what else stands here was cut by that start, or is unused |
/// | any | none | durable >= p, or p - 1 behind a whole group | damaged: it had been synced |
/// | zeros, end of file, clean stop | none | none, and only zeros; no command is open | ends |
/// | any | none | none, or durable < p | torn |
///
/// "Further on" is the rest of the segment and all later ones; behind a clean stop only the later ones.
enum TailTable {
  static func verdict(_ finding: TailFinding) -> TailVerdict {
    if let next = finding.next { return verdict(finding, next) }
    if let durable = finding.durable, durable >= finding.proof ?? finding.position,
      !PlantedFaults.has(.ignoredWatermark)
    {
      return .damaged(finding.proof == nil ? .syncedFactIsMissing : .syncedGroupHasChanged)
    }
    switch finding.place {
    case .zeros, .fileEnd, .cleanStop, .superseded:
      return finding.hasRemains || finding.hasOpenUnit ? .torn : .ends
    case .noGroup, .badRecord: return .torn
    }
  }

  private static func verdict(_ finding: TailFinding, _ next: TailFinding.Next) -> TailVerdict {
    if next.run == .earlier { return .damaged(.runsOutOfOrder) }
    if next.firstPosition > finding.position {
      return .damaged(.factsAreMissing(upTo: next.firstPosition - 1))
    }
    if next.firstPosition < finding.position { return .damaged(.segmentsOverlap) }
    if !next.isChained { return .damaged(.otherFactBefore) }
    if next.run == .later && finding.hasOpenUnit { return .damaged(.commandIsCutInTwo) }
    return .goesOn
  }
}

extension TailVerdict.Damage {
  /// For an error text, after what was found.
  func text(_ position: UInt64) -> String {
    switch self {
    case .syncedFactIsMissing:
      "fact \(position) had been synced, as a later group says: this is damage, not the torn end of a crash"
    case .syncedGroupHasChanged:
      "the group had been synced, as a later group says: this is damage, not the torn end of a crash"
    case .factsAreMissing(let last):
      "facts \(position) to \(last) are missing: the next segment begins with \(last + 1)"
    case .segmentsOverlap: "the next segment begins before fact \(position), which is there already"
    case .otherFactBefore: "the next segment does not follow the fact before \(position)"
    case .runsOutOfOrder: "the next segment was written by an earlier run of the server"
    case .commandIsCutInTwo: "a later run begins with fact \(position), in the middle of a command"
    }
  }
}

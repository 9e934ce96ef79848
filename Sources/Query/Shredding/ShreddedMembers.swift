// The members that queries use, as columns of codes: which are kept, and how a scan reads them.

import Columns
import Ledger
import Platform

/// One member of one table: its distinct values, and the codes of each stripe that was asked for.
final class ShreddedMember: Sendable {
  let source: MemberSource
  let values = DistinctValues()
  private let stripes = Guarded<[ShreddedStripe]>([])

  init(_ source: MemberSource) { self.source = source }

  func stripe(_ number: Int) -> ShreddedStripe {
    stripes.withLock { stripes in
      while stripes.count <= number { stripes.append(ShreddedStripe()) }
      return stripes[number]
    }
  }

  /// O(stripes).
  var byteCount: Int {
    let kept = stripes.withLock { $0 }
    return kept.reduce(values.byteCount) { $0 + $1.byteCount }
  }
}

/// The members that are kept: those used last, as far as memory allows.
final class ShreddedMembers: Sendable {
  /// Members at most.
  static let memberLimit = 32
  /// Bytes of all of them together, about; the one that is asked for is kept in any case.
  static let byteLimit = 256 << 20

  /// The one used last at the end.
  private let kept = Guarded<[ShreddedMember]>([])

  /// The columns of a member, empty ones if it is not kept. O(members), and O(stripes) for a new one.
  func member(_ source: MemberSource) -> ShreddedMember {
    let (member, isNew) = kept.withLock { kept in
      if let place = kept.firstIndex(where: { $0.source == source }) {
        let member = kept.remove(at: place)
        kept.append(member)
        return (member, false)
      }
      let member = ShreddedMember(source)
      kept.append(member)
      return (member, true)
    }
    if isNew { trim() }
    return member
  }

  /// Lets go of the members that were used longest ago. They end with the last query that reads them.
  func trim() {
    let members = kept.withLock { Array($0.reversed()) }
    var bytes = 0
    var last = members.count
    for (place, member) in members.enumerated() {
      bytes += member.byteCount
      if place > 0 && (place >= Self.memberLimit || bytes > Self.byteLimit) {
        last = place
        break
      }
    }
    let dropped = Set(members[last...].map { ObjectIdentifier($0) })
    if dropped.isEmpty { return }
    kept.withLock { kept in kept.removeAll { dropped.contains(ObjectIdentifier($0)) } }
  }

  /// Members kept, for tests.
  var sources: [MemberSource] { kept.withLock { $0.map(\.source) } }
}

/// What one scan reads of shredded members. One thread's.
final class MemberScan {
  private let reader: RowReader
  private let stop: StopFlag
  private var codes = CodeLanesBuffer()
  /// Members that the scan has used, with the marks of their tests.
  private var members: [Used] = []
  /// What `codes` holds.
  private var loaded: (member: Int, stripe: Int)?

  private struct Used {
    let source: MemberSource
    let member: ShreddedMember
    let recent = RecentValues()
    var tests: [Decided] = []
  }

  /// A test, and the codes below `codeCount` that pass it.
  private struct Decided {
    let condition: MetadataTest.Condition
    let codes: CodeMembers
    let codeCount: Int
  }

  init(_ reader: RowReader, _ stop: StopFlag) {
    self.reader = reader
    self.stop = stop
  }

  deinit { codes.free() }

  private func used(_ source: MemberSource) -> Int? {
    if let place = members.firstIndex(where: { $0.source == source }) { return place }
    guard let texts = reader.texts else { return nil }
    members.append(Used(source: source, member: texts.members.member(source)))
    return members.count - 1
  }

  /// Makes a bit of each row of a stripe that passes.
  /// - Parameter selectedCount: the rows whose bits are wanted; for few of them codes that are not there are
  ///   not made.
  /// - Returns: false when rows must be read one by one; the bits are to be ignored then.
  func select(
    _ source: MemberSource, _ condition: MetadataTest.Condition, stripe: Int, rowCount: Int,
    selectedCount: Int, into bits: UnsafeMutablePointer<UInt64>
  ) throws(QueryStopped) -> Bool {
    guard let place = used(source) else { return false }
    let member = members[place].member
    if member.values.isFull { return false }
    guard member.stripe(stripe).pays(forRows: selectedCount, of: rowCount), try load(place, stripe) else {
      return false
    }
    let marked = try marked(place, condition)
    unsafe codes.select(marked, rowCount: rowCount, into: bits)
    return true
  }

  private func load(_ place: Int, _ stripe: Int) throws(QueryStopped) -> Bool {
    if let loaded, loaded == (place, stripe) { return true }
    loaded = nil
    let member = members[place].member
    let source = MemberReader(
      reader: reader, source: member.source, values: member.values, recent: members[place].recent)
    guard try member.stripe(stripe).load(stripe, source, into: &codes, stop) else { return false }
    loaded = (place, stripe)
    return true
  }

  /// The codes that pass, of all that were loaded and more.
  private func marked(
    _ place: Int, _ condition: MetadataTest.Condition
  ) throws(QueryStopped) -> CodeMembers {
    let values = members[place].member.values
    if let known = members[place].tests.firstIndex(where: { $0.condition == condition }) {
      if members[place].tests[known].codeCount > values.count { return members[place].tests[known].codes }
      members[place].tests.remove(at: known)
    }
    let marks = try values.marks(condition, stop)
    let codes = CodeMembers(bits: marks.words)
    members[place].tests.append(Decided(condition: condition, codes: codes, codeCount: marks.codeCount))
    return codes
  }

  // MARK: Order

  /// The ranks of all values that rows of the cut have, which makes their codes; nil when there are too many.
  func ranks(_ source: MemberSource) throws(QueryStopped) -> CodeRanks? {
    guard let place = used(source), !members[place].member.values.isFull else { return nil }
    for stripe in 0..<Layout.stripeCount(rows: reader.rowCount) {
      try stop.check()
      guard try load(place, stripe) else { return nil }
    }
    return try members[place].member.values.ranks(stop)
  }

  /// The codes of a stripe, for rows of the cut; nil when they are not to be had.
  func codes(_ source: MemberSource, stripe: Int) throws(QueryStopped) -> CodeLanesBuffer? {
    guard let place = used(source), try load(place, stripe) else { return nil }
    return codes
  }
}

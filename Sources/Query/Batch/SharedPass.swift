// One pass over a table for several questions.

import Columns
import Ledger

/// A question that wants to see the rows that its filter leaves.
protocol PassMember: AnyObject {
  var rows: FilteredRows { get }

  /// Takes the selected rows of a stripe; may narrow the selection.
  func add(_ scan: borrowing StripeScan) throws(QueryStopped)
}

/// Carries out the passes of several members stripe by stripe: what the columns of a stripe were read for is
/// done while they are in the caches, equal filters are evaluated once, and so are equal tests of different
/// filters.
struct SharedPass {
  /// Members with the same filter.
  private struct Cohort {
    var rows: FilteredRows
    var tests: [RowTest]
    var shared: [RowTest] = []
    var rest: RowTest = .everything
    var stripes: Set<Int>?
    var members: [any PassMember]
  }

  let reader: RowReader
  let stop: StopFlag

  /// O(stripes · filters).
  func run(_ members: [any PassMember]) throws(QueryStopped) {
    var cohorts: [Cohort] = []
    var places: [FilteredRows: Int] = [:]
    for member in members {
      if let place = places[member.rows] {
        cohorts[place].members.append(member)
        continue
      }
      places[member.rows] = cohorts.count
      let test = member.rows.covering(reader)
      let tests = if case .all(let tests) = test { tests } else { [test] }
      cohorts.append(Cohort(rows: member.rows, tests: tests, members: [member]))
    }
    var leaves = LeafCache(cohorts.map(\.tests))
    var stripes: Set<Int> = []
    for place in cohorts.indices {
      cohorts[place].shared = cohorts[place].tests.filter(leaves.isShared)
      cohorts[place].rest = .conjunction(cohorts[place].tests.filter { !leaves.isShared($0) })
      let own = Set(cohorts[place].rows.stripes)
      stripes.formUnion(own)
      cohorts[place].stripes = own
    }
    var scan = StripeScan(reader: reader, stop: stop)
    var maker = StripeScan(reader: reader, stop: stop)
    var kept = Selection()
    // From the newest on: that is the order that pages want most, and their thresholds are found first.
    for stripe in stripes.sorted(by: >) {
      for cohort in cohorts where cohort.stripes?.contains(stripe) ?? false {
        try scan.select(.everything, stripe: stripe)
        for test in cohort.shared { try leaves.narrow(scan, test, maker: &maker) }
        try scan.narrow(cohort.rest)
        if cohort.members.count > 1 { kept.copy(scan.selection) }
        for (place, member) in cohort.members.enumerated() {
          if place > 0 {
            unsafe scan.selection.bits.update(from: kept.bits, count: Selection.wordCount)
          }
          try member.add(scan)
        }
      }
    }
  }
}

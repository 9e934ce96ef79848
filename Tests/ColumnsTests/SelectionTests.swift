// A bitmap of a stripe against the array of truth values that it stands for.

import Columns
import TestSupport
import Testing

struct SelectionTests {
  private static let rows = Layout.stripeRows

  /// Random rows: none, few, half, most, all; words wholly set and wholly clear among them.
  private static func random(_ generator: inout SeededGenerator) -> [Bool] {
    let density = [0.0, 0.001, 0.5, 0.999, 1.0].randomElement(using: &generator)!
    var rows = (0..<Self.rows).map { _ in Double.random(in: 0..<1, using: &generator) < density }
    for _ in 0..<8 {
      let word = Int.random(in: 0..<Selection.wordCount, using: &generator)
      let value = Bool.random(using: &generator)
      for place in word * 64..<word * 64 + 64 { rows[place] = value }
    }
    return rows
  }

  private static func selection(_ rows: [Bool]) -> Selection {
    var selection = Selection()
    for place in 0..<rows.count where rows[place] { selection[place] = true }
    return selection
  }

  private static func rows(_ selection: borrowing Selection) -> [Bool] {
    var rows: [Bool] = []
    for place in 0..<Self.rows { rows.append(selection[place]) }
    return rows
  }

  @Test(arguments: Seed.sample(4)) func setOperationsAgreeWithArrays(_ seed: Seed) {
    var generator = seed.generator
    let left = Self.random(&generator)
    let right = Self.random(&generator)
    let other = Self.selection(right)
    var both = Self.selection(left)
    both.formIntersection(other)
    #expect(Self.rows(both) == zip(left, right).map { $0 && $1 })
    var either = Self.selection(left)
    either.formUnion(other)
    #expect(Self.rows(either) == zip(left, right).map { $0 || $1 })
    either.copy(other)
    #expect(Self.rows(either) == right)
    #expect(other.count == right.count { $0 })
    #expect(other.isEmpty == !right.contains(true))
    either.selectNone()
    #expect(either.isEmpty && either.count == 0)
  }

  @Test(arguments: Seed.sample(4)) func walksVisitTheSelectedPlacesInOrder(_ seed: Seed) {
    var generator = seed.generator
    let rows = Self.random(&generator)
    let selection = Self.selection(rows)
    let expected = rows.indices.filter { rows[$0] }
    var visited: [Int] = []
    selection.forEachPlace { place in
      visited.append(place)
      return true
    }
    #expect(visited == expected)
    visited.removeAll()
    selection.forEachPlaceReversed { place in
      visited.append(place)
      return true
    }
    #expect(visited == expected.reversed())
    let limit = Int.random(in: 1...50, using: &generator)
    visited.removeAll()
    selection.forEachPlaceReversed { place in
      visited.append(place)
      return visited.count < limit
    }
    #expect(visited == Array(expected.reversed().prefix(limit)))
  }

  @Test func theFirstRowsAreSelectedAtEveryBorderOfWords() {
    var selection = Selection()
    for count in [0, 1, 63, 64, 65, 127, 128, 32_767, 32_768] {
      selection.selectFirst(count)
      #expect(selection.count == count)
      #expect(Self.rows(selection) == (0..<Self.rows).map { $0 < count })
    }
  }

  @Test func placesAreSetAndClearedAlone() {
    var selection = Selection()
    for place in [0, 63, 64, 32_767] {
      selection[place] = true
      #expect(selection[place] && selection.count == 1)
      selection[place] = false
      #expect(selection.isEmpty == true)
    }
  }

  @Test func moreRowsThanAStripeHasAreRefused() async {
    await #expect(processExitsWith: .failure) {
      var selection = Selection()
      selection.selectFirst(Layout.stripeRows + 1)
    }
  }
}

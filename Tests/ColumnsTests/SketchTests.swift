// Sketches: in the order of the amounts, the same by both ways, and ranges that miss nothing.

import Amounts
import Columns
import TestSupport
import Testing

struct SketchTests {
  private static let edges: [Amount] = {
    var amounts: [Amount] = [.zero]
    for exponent in 0...130 {
      var power = Amount.one
      for _ in 0..<exponent { power = power + power }
      for step in -2...2 { amounts += [power + Amount(step), -(power + Amount(step))] }
    }
    return amounts + [.power(of10: 30), -.power(of10: 30), .power(of10: 200), -.power(of10: 200)]
  }()

  @Test func codesRiseWithTheAmounts() {
    let sorted = Self.edges.sorted()
    for (low, high) in zip(sorted, sorted.dropFirst()) {
      #expect(Sketch.code(low) <= Sketch.code(high), "\(low) and \(high)")
    }
    #expect(Sketch.code(.zero) == Sketch.zero)
    #expect(Sketch.code(-.one) == Sketch.zero - 1 && Sketch.code(.one) == Sketch.zero + 1)
    #expect(Sketch.code(.power(of10: 200)) == Sketch.zero + 32_513)
    #expect(Sketch.code(-.power(of10: 200)) == Sketch.zero - 32_513)
  }

  @Test func amountsBelow512HaveCodesOfTheirOwn() {
    let codes = (-511...511).map { Sketch.code(Amount($0)) }
    #expect(Set(codes).count == codes.count)
    #expect(Sketch.code(Amount(512)) == Sketch.code(Amount(513)))
  }

  @Test(arguments: Seed.sample(8)) func narrowAmountsHaveTheCodeOfTheAmount(_ seed: Seed) {
    var generator = seed.generator
    for amount in Self.edges + (0..<2000).map({ _ in Amount.random(digits: 19, using: &generator) }) {
      guard let narrow = amount.int64 else { continue }
      #expect(Sketch.code(narrow) == Sketch.code(amount), "\(amount)")
    }
  }

  @Test(arguments: Seed.sample(8)) func aRangeOfCodesIsTheRangeOfAmounts(_ seed: Seed) {
    var generator = seed.generator
    let amounts = Self.edges + (0..<300).map { _ in Amount.random(digits: 50, using: &generator) }
    for _ in 0..<150 {
      let low = Bool.random(using: &generator) ? amounts.randomElement(using: &generator)! : nil
      let high =
        Int.random(in: 0..<4, using: &generator) > 0
        ? amounts.randomElement(using: &generator)! : nil
      let range = SketchRange(low: low, high: high)
      #expect(range.edges.count <= 2)
      for amount in amounts {
        let code = Sketch.code(amount)
        let isInside = (low.map { amount >= $0 } ?? true) && (high.map { amount <= $0 } ?? true)
        if isInside { #expect(range.mayContain(code), "\(amount) in \(range)") }
        if range.sure?.contains(code) ?? false {
          #expect(isInside && !range.edges.contains(code), "\(amount) in \(range)")
        }
      }
    }
  }

  @Test func boundsThatEndACodeLeaveNoEdge() {
    #expect(SketchRange(low: nil, high: nil).sure == 0...UInt16.max)
    #expect(SketchRange(low: .zero, high: nil).sure == Sketch.zero...UInt16.max)
    #expect(SketchRange(low: .one, high: Amount(511)).edges.isEmpty)
    #expect(SketchRange(low: Amount(512), high: Amount(1023)).edges.isEmpty)
    #expect(SketchRange(low: Amount(513), high: Amount(1022)).edges.count == 2)
    #expect(SketchRange(low: Amount(5), high: Amount(4)).sure == nil)
    #expect(SketchRange(low: Amount(5), high: Amount(4)).edges.isEmpty)
    #expect(SketchRange(low: Amount(Int128.max) + .one, high: nil).edges.isEmpty)
    #expect(SketchRange(low: nil, high: .power(of10: 60)).edges.count == 1)
  }
}

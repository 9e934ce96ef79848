// Every byte of a data directory: whatever happens to it, the state is right or the damage is named.

import Ledger
import Platform
import TestSupport
import Testing

@testable import Storage

struct DamageTests {
  /// Damage in one place of one file.
  private struct Place: Sendable {
    var path: String
    var offset: Int
  }

  /// Places in blocks that are in use, and now and then one in a block of zeros: all, or so many by seed.
  private static func places(_ sample: DamageSample, _ count: Int?, _ seed: Seed) -> [Place] {
    var used: [Place] = []
    var unused: [Place] = []
    for (path, bytes) in sample.files {
      for start in stride(from: 0, to: bytes.count, by: 4096) {
        let block = bytes[start..<min(bytes.count, start + 4096)]
        let end = block.lastIndex { $0 != 0 } ?? block.startIndex - 1
        for offset in block.indices {
          if offset <= end + 16 {
            used.append(Place(path: path, offset: offset))
          } else {
            unused.append(Place(path: path, offset: offset))
          }
        }
      }
    }
    guard let count else { return used + unused }
    var generator = seed.generator
    return Array(used.shuffled(using: &generator).prefix(count))
      + unused.shuffled(using: &generator).prefix(count / 8)
  }

  private func leniency(_ sample: DamageSample, _ place: Place) -> DamageSample.Leniency {
    sample.doubtful[place.path]?.contains(place.offset / 4096) == true ? .lastGroup : .none
  }

  @Test(arguments: [false, true])
  func everyFlippedBitIsHarmlessOrNamed(isKilled: Bool) throws {
    let seed = Seed(7)
    let sample = try DamageSample(seed, isKilled: isKilled)
    var generator = seed.generator
    var objections: [String] = []
    var count = 0
    for (number, place) in Self.places(sample, Effort.choose(900, long: nil), seed).enumerated() {
      let bits = Effort.isLong ? Array(0..<8) : [Int.random(in: 0..<8, using: &generator)]
      for bit in bits where objections.count < 5 {
        count += 1
        let objection = sample.objection(
          place.path, leniency(sample, place), checks: number % 16 == 0
        ) { disk in
          let byte = disk.byte(place.path, place.offset)
          disk.overwrite(place.path, at: place.offset, [byte ^ 1 << UInt8(bit)])
        }
        if let objection {
          objections.append("bit \(bit) of byte \(place.offset) of \(place.path): \(objection)")
        }
      }
    }
    print("\(count) flipped bits, killed: \(isKilled)")
    #expect(objections == [], "\(seed)")
  }

  @Test(arguments: [false, true])
  func bytesOfZeroAndOfOnesAreHarmlessOrNamed(isKilled: Bool) throws {
    let seed = Seed(8)
    let sample = try DamageSample(seed, isKilled: isKilled)
    var objections: [String] = []
    for place in Self.places(sample, Effort.choose(200, long: nil), seed) {
      for value: UInt8 in [0, 0xFF] where objections.count < 5 {
        let objection = sample.objection(place.path, leniency(sample, place)) {
          $0.overwrite(place.path, at: place.offset, [value])
        }
        if let objection {
          objections.append("\(value) in byte \(place.offset) of \(place.path): \(objection)")
        }
      }
    }
    #expect(objections == [], "\(seed)")
  }

  @Test(arguments: [false, true])
  func everyLengthIsHarmlessOrNamed(isKilled: Bool) throws {
    let seed = Seed(9)
    let sample = try DamageSample(seed, isKilled: isKilled)
    var generator = seed.generator
    var objections: [String] = []
    for (path, bytes) in sample.files {
      let lengths =
        Effort.isLong
        ? Array(0..<bytes.count)
        : [0, 1, bytes.count - 1, bytes.count / 4096 * 2048]
          + (0..<8).map { _ in Int.random(in: 0..<bytes.count, using: &generator) }
      for length in lengths where objections.count < 5 {
        if let objection = sample.objection(
          path, checks: length % 8 == 0, damage: { $0.cut(path, to: length) })
        {
          objections.append("\(path) cut to \(length): \(objection)")
        }
      }
      let longer = sample.objection(path) { $0.setContents(path, bytes + [UInt8](repeating: 0, count: 4096)) }
      if let longer { objections.append("\(path) longer: \(longer)") }
      if let missing = sample.objection(path, damage: { $0.removeName(path) }) {
        objections.append("\(path) missing: \(missing)")
      }
    }
    #expect(objections == [], "\(seed)")
  }

  @Test(arguments: [false, true])
  func blocksInWrongPlacesAreFound(isKilled: Bool) throws {
    let seed = Seed(10)
    let sample = try DamageSample(seed, isKilled: isKilled)
    var blocks: [Place] = []
    for (path, bytes) in sample.files where bytes.count % 4096 == 0 {
      for start in stride(from: 0, to: bytes.count, by: 4096) {
        blocks.append(Place(path: path, offset: start))
      }
    }
    var generator = seed.generator
    var pairs = blocks.flatMap { first in blocks.map { (first, $0) } }
    if !Effort.isLong { pairs = Array(pairs.shuffled(using: &generator).prefix(500)) }
    var objections: [String] = []
    for (first, second) in pairs where objections.count < 5 {
      let bytes = [first, second].map { place in
        Array(sample.disk.contents(place.path)?[place.offset..<place.offset + 4096] ?? [])
      }
      // A copy of the second over the first, then both in each other's place.
      for isSwap in [false, true] {
        let leniency: DamageSample.Leniency =
          leniency(sample, first) == .none && !(isSwap && leniency(sample, second) != .none)
          ? .none : .lostWrites
        let objection = sample.objection(first.path, leniency) { disk in
          disk.overwrite(first.path, at: first.offset, bytes[1])
          if isSwap { disk.overwrite(second.path, at: second.offset, bytes[0]) }
        }
        if let objection {
          objections.append("\(isSwap ? "swapped" : "copied") \(first) \(second): \(objection)")
        }
      }
    }
    #expect(objections == [], "\(seed)")
  }

  @Test
  func anOlderSelfOfAFileIsNeverAnotherState() throws {
    let sample = try DamageSample(Seed(11), isKilled: false)
    let newest = sample.disk.filePaths.last { path in
      path.hasSuffix(".seg") && sample.disk.contents(path)?.contains { $0 != 0 } == true
    }
    var objections: [String] = []
    for earlier in sample.earlier {
      for (path, bytes) in sample.files {
        guard let old = earlier.contents(path), old != bytes else { continue }
        // The end of the journal may go back unnoticed where no snapshot and no manifest lies beyond it.
        let objection = sample.objection(path, path == newest ? .lostWrites : .none) {
          $0.setContents(path, old)
        }
        if let objection { objections.append("older \(path): \(objection)") }
      }
    }
    #expect(objections == [])
  }

  @Test
  func filesOfAnotherDirectoryAreRefused() throws {
    let sample = try DamageSample(Seed(12), isKilled: false)
    let other = try DamageSample(Seed(12), isKilled: false)
    var objections: [String] = []
    for (path, _) in sample.files {
      guard let bytes = other.disk.contents(path) else { continue }
      if let objection = sample.objection(path, damage: { $0.setContents(path, bytes) }) {
        objections.append("\(path) of another directory: \(objection)")
      }
    }
    #expect(objections == [])
  }

  @Test
  func anUndamagedDirectoryIsSound() throws {
    for isKilled in [false, true] {
      let sample = try DamageSample(Seed(13), isKilled: isKilled)
      #expect(try Check.check(DrivenServer.path, on: sample.disk.copy(), clock: sample.clock).isSound)
      #expect(sample.objection("", damage: { _ in }) == nil)
    }
  }
}

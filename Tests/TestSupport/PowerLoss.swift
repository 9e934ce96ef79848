// What a power loss leaves of changes that no sync has covered.

import Platform

/// Which of the unsynced changes of a disk outlast a power loss. All may be there or none, some in part, the
/// later without the earlier. A sector of 512 bytes is written as one; other parts of a write stand alone.
package enum PowerLoss: Sendable, Equatable, CustomStringConvertible {
  /// Nothing unsynced is left.
  case losingAll
  /// Everything is there although nothing promised it.
  case keepingAll
  /// The first changes in the order they were made; of the one after them, if it is a write, the first
  /// sectors.
  case keepingFirst(Int, sectors: Int)
  /// Change *i*, in the order they were made, is kept when bit *i* is set; later ones are lost.
  case keeping(mask: UInt64)
  /// Any part of anything, by seed.
  case random(Seed)

  package var description: String {
    switch self {
    case .losingAll: "losing all that is unsynced"
    case .keepingAll: "keeping all"
    case .keepingFirst(let count, let sectors): "keeping \(count) changes and \(sectors) sectors"
    case .keeping(let mask): "keeping the changes of mask \(mask)"
    case .random(let seed): "random, seed \(seed.value)"
    }
  }
}

/// What becomes of one change.
private struct Fate {
  enum Sectors {
    case all, none
    case first(Int)
    /// Each sector is kept with this chance of 100; of the others, this many of 100 hold neither the old nor
    /// the new bytes.
    case each(kept: Int, scrambled: Int)
  }
  /// A name, or a file's size, is changed.
  var isKept: Bool
  var sectors: Sectors

  static let kept = Fate(isKept: true, sectors: .all)
  static let lost = Fate(isKept: false, sectors: .none)
}

extension SimulatedDisk {
  /// The disk that a machine finds after losing power now. Everything on it is durable; nothing is open.
  package func afterPowerLoss(_ loss: PowerLoss) -> SimulatedDisk {
    var before = state.withLock { $0 }
    before.locks = [:]
    before.faults = []
    return SimulatedDisk(before.afterPowerLoss(loss))
  }
}

extension SimulatedDisk.State {
  fileprivate func afterPowerLoss(_ loss: PowerLoss) -> Self {
    var numbers: [Int] = []
    for node in nodes {
      numbers += node.pending.map(\.number) + node.pendingEntries.map(\.number)
    }
    numbers.sort()
    var generator = SeededGenerator(Seed(0))
    if case .random(let seed) = loss { generator = seed.generator }
    let fates = Self.fates(of: numbers, loss, &generator)
    var after = self
    for node in after.nodes.indices { after.nodes[node].settle(fates, &generator) }
    after.dropUnreachable()
    return after
  }

  private static func fates(
    of numbers: [Int], _ loss: PowerLoss, _ generator: inout SeededGenerator
  ) -> [Int: Fate] {
    var fates: [Int: Fate] = [:]
    var rule = RandomRule(&generator, count: numbers.count)
    for (place, number) in numbers.enumerated() {
      fates[number] =
        switch loss {
        case .losingAll: .lost
        case .keepingAll: .kept
        case .keepingFirst(let count, let sectors):
          place < count ? .kept : place > count ? .lost : Fate(isKept: sectors > 0, sectors: .first(sectors))
        case .keeping(let mask): place < 64 && mask >> UInt64(place) & 1 == 1 ? .kept : .lost
        case .random: rule.fate(at: place, &generator)
        }
    }
    return fates
  }

  /// Forgets nodes that no directory names any more and numbers the others anew.
  private mutating func dropUnreachable() {
    var kept = [0]
    var place = 0
    while place < kept.count {
      let node = kept[place]
      for (name, child) in nodes[node].entries.sorted(by: { $0.key < $1.key }) {
        nodes[node].entries[name] = kept.count
        kept.append(child)
      }
      nodes[node].durableEntries = nodes[node].entries
      place += 1
    }
    nodes = kept.map { nodes[$0] }
    usedPageCount = nodes.reduce(0) { $0 + $1.cached.pageCount }
  }
}

/// One way for a disk to lose things, drawn once for each power loss, so that rare ways are seen as often as
/// common ones.
private struct RandomRule {
  private enum Way { case wholeChanges, sectors, inOrder, scrambled }
  private let way: Way
  private let chance: Int
  private let lengthKept: Int
  private let sizeChance: Int

  init(_ generator: inout SeededGenerator, count: Int) {
    way = [.wholeChanges, .sectors, .inOrder, .scrambled].randomElement(using: &generator) ?? .sectors
    chance = [8, 50, 92].randomElement(using: &generator) ?? 50
    lengthKept = Int.random(in: 0...count, using: &generator)
    sizeChance = [0, 50, 100].randomElement(using: &generator) ?? 50
  }

  mutating func fate(at place: Int, _ generator: inout SeededGenerator) -> Fate {
    let hit = Int.random(in: 0..<100, using: &generator) < chance
    let hasSize = Int.random(in: 0..<100, using: &generator) < sizeChance
    switch way {
    case .wholeChanges: return hit ? .kept : .lost
    case .sectors: return Fate(isKept: hasSize, sectors: .each(kept: chance, scrambled: 0))
    case .scrambled: return Fate(isKept: hasSize, sectors: .each(kept: chance, scrambled: 50))
    case .inOrder:
      if place < lengthKept { return .kept }
      if place > lengthKept { return .lost }
      return Fate(isKept: hasSize, sectors: .first(Int.random(in: 0...64, using: &generator)))
    }
  }
}

extension SimulatedNode {
  /// Becomes what the disk holds after the power loss.
  fileprivate mutating func settle(_ fates: [Int: Fate], _ generator: inout SeededGenerator) {
    // Sizes change in order: once one change of the size is lost, so are those after it.
    var keepsSize = true
    for pending in pending {
      guard let fate = fates[pending.number] else { preconditionFailure("every change has a fate") }
      if pending.change.changesSize(of: durable.byteCount), !fate.isKept { keepsSize = false }
      switch pending.change {
      case .write(let bytes, let offset):
        Self.write(bytes, offset, fate.sectors, extending: keepsSize, to: &durable, &generator)
      case .truncate, .reserve:
        if keepsSize { pending.change.apply(to: &durable) }
      }
    }
    for pending in pendingEntries where fates[pending.number]?.isKept == true {
      pending.change.apply(to: &durableEntries)
    }
    cached = durable
    entries = durableEntries
    pending.removeAll()
    pendingEntries.removeAll()
    hasDiverged = false
  }

  private static func write(
    _ bytes: [UInt8], _ offset: Int, _ sectors: Fate.Sectors, extending: Bool, to durable: inout PagedBytes,
    _ generator: inout SeededGenerator
  ) {
    let end = offset + bytes.count
    if extending, end > durable.byteCount { durable.setByteCount(end) }
    var place = offset
    var number = 0
    while place < end {
      let next = min(end, (place / 512 + 1) * 512)
      var piece: [UInt8]?
      switch sectors {
      case .all: return durable.write(bytes, at: offset, extending: false)
      case .none: return
      case .first(let count): if number < count { piece = Array(bytes[(place - offset)..<(next - offset)]) }
      case .each(let kept, let scrambled):
        if Int.random(in: 0..<100, using: &generator) < kept {
          piece = Array(bytes[(place - offset)..<(next - offset)])
        } else if Int.random(in: 0..<100, using: &generator) < scrambled {
          piece = (place..<next).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        }
      }
      if let piece { durable.write(piece, at: place, extending: false) }
      place = next
      number += 1
    }
  }
}

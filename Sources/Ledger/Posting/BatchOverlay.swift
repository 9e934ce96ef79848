// What the earlier items of an atomic batch would change, so that the later ones are decided as if they had.

import Amounts
import Columns

/// Changes of balances and new references that are decided but not applied. Flat tables, used again from
/// batch to batch; empty (and never looked at) outside atomic batches.
struct BatchOverlay {
  /// Open addressing by row: the row plus one, and what would be added to its balance.
  private var rows: [UInt32] = []
  private var changes: [Amount] = []
  /// Open addressing by the reference's hash: index of the item plus one.
  private var references: [UInt32] = []
  private(set) var postings: [Posting] = []
  private var identifiers: Set<Identifier> = []
  private var mask = 0
  private(set) var isActive = false

  /// Makes the overlay ready for a batch. O(items).
  mutating func begin(itemCount: Int) {
    var slotCount = 64
    while slotCount < itemCount * 4 { slotCount *= 2 }
    if rows.count < slotCount {
      rows = [UInt32](repeating: 0, count: slotCount)
      references = [UInt32](repeating: 0, count: slotCount)
      changes = [Amount](repeating: .zero, count: slotCount)
    } else {
      for slot in 0..<slotCount { rows[slot] = 0 }
      for slot in 0..<slotCount { references[slot] = 0 }
    }
    mask = slotCount - 1
    postings.removeAll(keepingCapacity: true)
    postings.reserveCapacity(itemCount)
    isActive = true
  }

  mutating func end() {
    identifiers.removeAll()
    isActive = false
  }

  /// What the items so far add to a balance.
  func change(of row: RowIndex) -> Amount {
    let slot = slot(of: row)
    return rows[slot] == 0 ? .zero : changes[slot]
  }

  /// The place among `postings` of the one with that reference.
  func place(referenceHash hash: UInt64, where isMatch: (Posting) -> Bool) -> Int? {
    var slot = Int(truncatingIfNeeded: hash) & mask
    while references[slot] != 0 {
      let place = Int(references[slot]) - 1
      if postings[place].referenceHash == hash, isMatch(postings[place]) { return place }
      slot = (slot + 1) & mask
    }
    return nil
  }

  func contains(_ identifier: Identifier) -> Bool { identifiers.contains(identifier) }

  /// Takes a decided item in.
  mutating func append(_ posting: Posting, _ new: AskedTransaction) {
    var slot = Int(truncatingIfNeeded: posting.referenceHash) & mask
    while references[slot] != 0 { slot = (slot + 1) & mask }
    postings.append(posting)
    references[slot] = UInt32(postings.count)
    if let identifier = new.identifier { identifiers.insert(identifier) }
    add(-new.amount, to: posting.source)
    add(new.amount, to: posting.destination)
  }

  private mutating func add(_ amount: Amount, to row: RowIndex) {
    let slot = slot(of: row)
    if rows[slot] == 0 {
      rows[slot] = row.rawValue + 1
      changes[slot] = amount
    } else {
      changes[slot] += amount
    }
  }

  /// The slot of a row, or the empty one where it belongs. Fibonacci hashing.
  private func slot(of row: RowIndex) -> Int {
    var slot = Int(truncatingIfNeeded: (UInt64(row.rawValue) &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    while rows[slot] != 0, rows[slot] != row.rawValue + 1 { slot = (slot + 1) & mask }
    return slot
  }
}

/// A transaction that may be posted, before it is a fact.
struct Posting {
  /// Which item of its batch it is; 0 outside batches.
  var item: Int
  var source: RowIndex
  var destination: RowIndex
  var referenceHash: UInt64
  /// The identifier that the transaction gets unless it has chosen one.
  var newIdentifier: StoredIdentifier
}

/// What was decided on a transaction that is not refused.
enum Decision {
  case post(Posting)
  /// The reference stands for this transaction already, with the same content.
  case replay(RowIndex)
}

// The shards that one command changes: the only code that holds more than one shard's lock.

import Columns
import Platform

/// Some of the shards. Their locks are taken in ascending order, all before the first change, and let go
/// together.
struct ShardSet: Equatable {
  /// Bit n stands for shard n.
  private(set) var bits: UInt64 = 0

  static var all: ShardSet { ShardSet(bits: .max) }

  mutating func insert(_ row: RowIndex) { bits |= 1 << UInt64(Layout.shard(of: row)) }

  /// Takes the locks of all shards of the set.
  /// - Parameter held: shards whose locks this writer holds already; a higher or equal one would break the
  ///   order.
  func lock(_ locks: LockTable, held: inout ShardSet) {
    var rest = bits
    while rest != 0 {
      let shard = rest.trailingZeroBitCount
      precondition(held.bits >> UInt64(shard) == 0, "shards are locked in ascending order")
      locks.lock(shard)
      held.bits |= 1 << UInt64(shard)
      rest &= rest &- 1
    }
  }

  /// Lets go what `lock` took.
  func unlock(_ locks: LockTable, held: inout ShardSet) {
    precondition(held == self, "the locks that were taken are let go")
    var rest = bits
    while rest != 0 {
      locks.unlock(rest.trailingZeroBitCount)
      rest &= rest &- 1
    }
    held.bits = 0
  }
}

// The codes of one member in the rows of a stripe, kept from query to query.

import Columns
import Ledger
import Platform

/// Where a code comes from: which chunks' blocks, as they stood.
struct BlockVersion: Equatable, Sendable {
  var birth: UInt64
  var lastChange: UInt64

  /// A chunk that was never written.
  static let unwritten = BlockVersion(birth: 0, lastChange: 0)
  /// Nothing is known of the chunk.
  static let unknown = BlockVersion(birth: .max, lastChange: .max)

  init(birth: UInt64, lastChange: UInt64) {
    self.birth = birth
    self.lastChange = lastChange
  }

  init(_ block: Block?) {
    if let block {
      self.init(
        birth: unsafe block.header.pointee.birth, lastChange: unsafe block.header.pointee.lastChange)
    } else {
      self = .unwritten
    }
  }

  /// Whether the chunk has changed since.
  func isOlder(than other: BlockVersion) -> Bool {
    self == .unknown || (birth, lastChange) < (other.birth, other.lastChange)
  }
}

/// The codes of a stripe, in row order, as narrow as they allow; each chunk's with the version of the block
/// that it was read from. A version that a cut sees never changes, so what was read from it stays true.
///
/// One thread at a time reads or refreshes it; readers take a copy along.
final class ShreddedStripe: Sendable {
  private let state = Guarded<State>(State())

  private struct State {
    var codes = CodeLanesBuffer()
    var versions: [BlockVersion] = []
    /// Rows that were tested one by one because the codes were not there.
    var testedRows = 0
  }

  /// Whoever used the memory did so under the lock, so all have ended when it is taken for the last time.
  deinit { state.withLock { $0.codes.free() } }

  var byteCount: Int { state.withLock { $0.codes.byteCount } }

  /// Whether codes are to be used for a test of `count` rows: when they are there, or when as many rows as a
  /// part of the stripe have been tested without.
  func pays(forRows count: Int, of rowCount: Int) -> Bool {
    state.withLock { state in
      if !state.versions.isEmpty { return true }
      state.testedRows += count
      return state.testedRows >= rowCount / 8
    }
  }

  /// Copies the codes as the reader's cut sees them.
  /// - Returns: false when there are too many distinct values; nothing is to be made of `target` then.
  /// - Complexity: O(rows) for the copy, and reading the rows of the chunks that are not known as the cut
  ///   sees them. What is newer than the cut is kept for others, and read for this one alone.
  func load(
    _ stripe: Int, _ source: MemberReader, into target: inout CodeLanesBuffer, _ stop: StopFlag
  ) throws(QueryStopped) -> Bool {
    try state.withLock { state throws(QueryStopped) -> Bool in
      if state.versions.isEmpty {
        state.versions = Array(repeating: .unknown, count: Layout.shardCount)
        state.codes.makeZero(rowCount: Layout.stripeRows, width: 1)
      }
      var older: [Int] = []
      for shard in 0..<Layout.shardCount {
        let block = source.block(stripe * Layout.shardCount + shard)
        let version = BlockVersion(block)
        if state.versions[shard] == version { continue }
        guard state.versions[shard].isOlder(than: version) else {
          older.append(shard)
          continue
        }
        try stop.check()
        guard source.read(block, shard, into: &state.codes) else { return false }
        state.versions[shard] = version
      }
      target.copy(state.codes)
      for shard in older {
        try stop.check()
        let block = source.block(stripe * Layout.shardCount + shard)
        guard source.read(block, shard, into: &target) else { return false }
      }
      return true
    }
  }
}

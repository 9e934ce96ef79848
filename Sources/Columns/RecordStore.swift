// Records that are replaced: bytes behind a handle, kept as long as a cut may read them.

import Platform
import Synchronization

/// A handle of a `RecordStore`; 0 stands for no record.
package typealias RecordHandle = UInt32

/// Variable-length records that never change in place. Replacing one means: put a new one, store its handle
/// in the cell, retire the old handle; its bytes are freed when no held cut can see them.
///
/// One writer puts and retires. Readers read a handle that they learned under a shard's lock (and use it only
/// under that lock) or through a held cut.
@safe @usableFromInline package final class RecordStore: Sendable {
  private let epochs: Epochs
  private let addresses = SegmentedColumn<UInt>()
  private let state = Mutex<State>(State())

  private struct State {
    var handleCount: UInt32 = 0
    var byteCount = 0
    var free: [RecordHandle] = []
    var retired: [(handle: RecordHandle, epoch: UInt64)] = []
    var head = 0
  }

  package init(epochs: Epochs) {
    self.epochs = epochs
    addresses.append(0, at: RowIndex(0 as UInt32))
  }

  deinit {
    let count = state.withLock { $0.handleCount }
    for handle in stride(from: 1, through: count, by: 1) {
      unsafe UnsafeMutableRawPointer(bitPattern: addresses[RowIndex(handle)])?.deallocate()
    }
  }

  /// Bytes of all records kept.
  package var byteCount: Int { state.withLock { $0.byteCount } }

  /// Keeps a copy of the bytes. Writer only. O(bytes).
  package func put(_ bytes: UnsafeRawBufferPointer) -> RecordHandle {
    reclaim()
    let record = UnsafeMutableRawPointer.allocate(byteCount: bytes.count + 8, alignment: 8)
    unsafe record.storeBytes(of: UInt64(bytes.count), as: UInt64.self)
    if let source = bytes.baseAddress {
      unsafe (record + 8).copyMemory(from: source, byteCount: bytes.count)
    }
    let address = UInt(bitPattern: record)
    return state.withLock { state in
      state.byteCount += bytes.count + 8
      if let handle = state.free.popLast() {
        addresses[RowIndex(handle)] = address
        return handle
      }
      state.handleCount += 1
      let row = RowIndex(state.handleCount)
      if state.handleCount & (1 << 16 - 1) == 0 { addresses.reserve(row) }
      addresses[row] = address
      return state.handleCount
    }
  }

  package func put(_ bytes: [UInt8]) -> RecordHandle {
    unsafe bytes.withUnsafeBytes { unsafe put($0) }
  }

  /// The bytes of a record; see the type for how long they are valid.
  package func bytes(_ handle: RecordHandle) -> UnsafeRawBufferPointer {
    precondition(handle != 0, "a record")
    let record = unsafe UnsafeRawPointer(bitPattern: addresses[RowIndex(handle)]).unsafelyUnwrapped
    return unsafe UnsafeRawBufferPointer(
      start: record + 8, count: Int(truncatingIfNeeded: record.load(as: UInt64.self)))
  }

  /// Gives a handle up; cuts held now may still read it. Writer only.
  package func retire(_ handle: RecordHandle) {
    guard handle != 0 else { return }
    let epoch = epochs.current
    state.withLock { $0.retired.append((handle, epoch)) }
  }

  /// Frees what no held cut can see. A record retired in epoch `e` may be seen by cuts up to `e`.
  private func reclaim() {
    let oldest = epochs.oldestHeld
    state.withLock { state in
      while state.head < state.retired.count, state.retired[state.head].epoch < oldest {
        let handle = state.retired[state.head].handle
        state.head += 1
        let address = addresses[RowIndex(handle)]
        addresses[RowIndex(handle)] = 0
        state.free.append(handle)
        guard let record = unsafe UnsafeMutableRawPointer(bitPattern: address) else { continue }
        state.byteCount -= unsafe Int(truncatingIfNeeded: record.load(as: UInt64.self)) + 8
        unsafe record.deallocate()
      }
      if state.head == state.retired.count {
        state.retired.removeAll(keepingCapacity: true)
        state.head = 0
      }
    }
  }
}

// Records that are replaced: bytes behind a handle, kept as long as a cut may read them.

import Platform

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
  private let state = Guarded<State>(State())

  private struct State {
    var handleCount: UInt32 = 0
    var byteCount = 0
    var free: [RecordHandle] = []
    var retired = RetiredQueue<RecordHandle>()
  }

  /// Records freed at a time: while it happens, a writer may wait for the store.
  private static let reclaimBatch = 32

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

  /// Records given up that a cut may still read, or that nobody has freed yet.
  package var retainedCount: Int { state.withLock { $0.retired.count } }

  /// Keeps a copy of the bytes. Writer only. O(bytes).
  package func put(_ bytes: UnsafeRawBufferPointer) -> RecordHandle {
    // At most one record is given up for each one put, so a batch each time keeps up with them.
    _ = reclaimBatch()
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
    return unsafe bytes(at: addresses[RowIndex(handle)])
  }

  /// Bytes of a record.
  package func byteCount(of handle: RecordHandle) -> Int { unsafe bytes(handle).count }

  /// Asks for the place where a record's address stands; later, when that is near, for the record's
  /// beginning.
  package func prefetchAddress(_ handle: RecordHandle) { addresses.prefetch(RowIndex(handle)) }
  package func prefetchBytes(_ handle: RecordHandle) {
    guard let record = unsafe UnsafeRawPointer(bitPattern: addresses[RowIndex(handle)]) else { return }
    unsafe Kernels.prefetch(record)
  }

  /// Gives a handle up; cuts held now may still read it. Writer only.
  package func retire(_ handle: RecordHandle) {
    guard handle != 0 else { return }
    let epoch = epochs.current
    state.withLock { $0.retired.append(handle, replacedIn: epoch) }
  }

  /// Frees what no held cut can see. Whoever ends a cut calls it; any thread may. O(records freed).
  package func reclaim() {
    while reclaimBatch() == Self.reclaimBatch {}
  }

  /// Frees a batch of records and returns how many. A record retired in epoch `e` may be seen by cuts up to
  /// `e`.
  private func reclaimBatch() -> Int {
    // The bound is asked under the lock, as in `BlockTable.reclaim`.
    let freed: [UInt] = state.withLock { state in
      let handles = state.retired.takeFreed(oldestHeld: epochs.oldestHeld, limit: Self.reclaimBatch)
      if handles.isEmpty { return [] }
      state.free.append(contentsOf: handles)
      return handles.map { handle in
        let address = addresses[RowIndex(handle)]
        addresses[RowIndex(handle)] = 0
        state.byteCount -= unsafe bytes(at: address).count + 8
        return address
      }
    }
    for address in freed { unsafe UnsafeMutableRawPointer(bitPattern: address)?.deallocate() }
    return freed.count
  }

  private func bytes(at address: UInt) -> UnsafeRawBufferPointer {
    guard let record = unsafe UnsafeRawPointer(bitPattern: address) else {
      preconditionFailure("a handle that was put and not given up")
    }
    return unsafe UnsafeRawBufferPointer(
      start: record + 8, count: Int(truncatingIfNeeded: record.load(as: UInt64.self)))
  }
}

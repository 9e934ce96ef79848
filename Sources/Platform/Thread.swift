// A thread of the kernel's, with a name, a stack size and one end that is waited for.

import CSys
import Synchronization

/// A pthread. It runs `body` once; `join` waits for its end; a thread nobody joins cleans up after itself.
package final class Thread: Sendable {
  private let handle: UInt64
  /// Set by the one join, or by the deinitialiser that detaches.
  private let isJoined = Atomic<Bool>(false)

  /// Starts a thread.
  ///
  /// - Parameters:
  ///   - name: shown by `top -H` and in backtraces; the kernel keeps 15 bytes.
  ///   - stackByteCount: at least 64 KiB; rounded up to whole pages.
  /// - Throws: EAGAIN when the process may have no more threads.
  package init(
    name: String, stackByteCount: Int = 1 << 20, body: @escaping @Sendable () -> Void
  ) throws(SystemError) {
    let start = ThreadStart(name: name, body: body)
    let retained = unsafe Unmanaged.passRetained(start)
    let rounded = (max(stackByteCount, 64 << 10) + 4095) & ~4095
    var handle: UInt64 = 0
    let code = unsafe csys_create_thread(rounded, Self.run, retained.toOpaque(), &handle)
    if code < 0 {
      unsafe retained.release()
      throw SystemError(code: -code, call: "pthread_create", doing: "start the thread \(name)")
    }
    self.handle = handle
  }

  /// Waits until the body has returned. Call it once, and not from the thread itself.
  package func join() {
    let before = isJoined.exchange(true, ordering: .acquiringAndReleasing)
    precondition(!before, "a thread is joined once")
    let code = csys_join_thread(handle)
    precondition(code == 0, "pthread_join: errno \(-code)")
  }

  deinit {
    if !isJoined.load(ordering: .acquiring) { csys_detach_thread(handle) }
  }

  /// Ties the calling thread to one processor, for measurements.
  package static func pin(toProcessor processor: Int) throws(SystemError) {
    let result = csys_pin_thread(CInt(processor))
    _ = try Syscalls.checked(result, "sched_setaffinity", "pin a thread to processor \(processor)", nil)
  }

  /// Lets another thread run.
  package static func yield() { csys_yield() }

  /// Tells the processor that this is a loop that waits: some 20 ns, and the sibling runs faster meanwhile.
  @inline(__always) package static func pause() { csys_pause() }

  private static let run: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { raw in
    guard let raw = unsafe raw else { return nil }
    let start = unsafe Unmanaged<ThreadStart>.fromOpaque(raw).takeRetainedValue()
    unsafe csys_name_thread(start.name)
    start.body()
    return nil
  }
}

/// What a new thread is to do, on its way there.
private final class ThreadStart: Sendable {
  let name: String
  let body: @Sendable () -> Void

  init(name: String, body: @escaping @Sendable () -> Void) {
    self.name = name
    self.body = body
  }
}

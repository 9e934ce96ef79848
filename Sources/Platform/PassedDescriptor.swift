// Descriptors that another process sends through a socket, and writing to them without ever waiting.

import CSys
import Glibc
import Synchronization

/// How many passed descriptors are open, those of a whole server together.
package final class DescriptorCount: Sendable {
  private let count = Atomic<Int>(0)
  package let limit: Int

  package init(limit: Int) { self.limit = limit }

  package var value: Int { count.load(ordering: .relaxed) }

  /// Counts one more; false, and nothing counted, when there are as many as there may be.
  fileprivate func add() -> Bool {
    if count.add(1, ordering: .relaxed).newValue <= limit { return true }
    remove()
    return false
  }

  fileprivate func remove() { count.subtract(1, ordering: .relaxed) }
}

/// A descriptor that came from another process. It is closed with the last reference. Its flags are left as
/// they are: they belong to the open file, which the other process has too.
package final class PassedDescriptor: Sendable {
  /// What it writes to.
  package enum Kind: Sendable, Equatable { case file, pipe, socket }

  /// For `EventLoop` only.
  package let number: CInt
  private let count: DescriptorCount?

  /// Takes a descriptor over.
  package init(adopting number: CInt) {
    self.number = number
    count = nil
  }

  /// Takes a descriptor over, or closes it when there are too many.
  fileprivate init?(adopting number: CInt, countedIn count: DescriptorCount) {
    self.number = number
    guard count.add() else {
      Syscalls.close(number)
      return nil
    }
    self.count = count
  }

  /// The two ends of a new pipe, which may be given away.
  package static func pipe() throws(SystemError) -> (reading: PassedDescriptor, writing: PassedDescriptor) {
    let (reading, writing) = try Syscalls.makePipe()
    return (PassedDescriptor(adopting: reading), PassedDescriptor(adopting: writing))
  }

  deinit {
    if number >= 0 { Syscalls.close(number) }
    count?.remove()
  }

  /// What can be written to it; nil for what is no file, pipe or socket (a terminal, a directory).
  /// - Throws: EBADF when it is not open for writing.
  package func kind() throws(SystemError) -> Kind? {
    Self.kind(try Syscalls.checked(csys_sink_kind(number), "fcntl", "write to the descriptor", nil))
  }

  /// What can be written to any descriptor; nil also when it is not open for writing.
  package static func kind(of descriptor: CInt) -> Kind? { kind(csys_sink_kind(descriptor)) }

  private static func kind(_ result: CInt) -> Kind? {
    switch result {
    case CSYS_SINK_FILE: return .file
    case CSYS_SINK_PIPE: return .pipe
    case CSYS_SINK_SOCKET: return .socket
    default: return nil
    }
  }

  /// Waits until something can be written, or the other end is gone; false when the time is over.
  package func waitForRoom(milliseconds: CInt) -> Bool {
    Syscalls.retrying { csys_poll(number, 1, milliseconds) } != 0
  }

  /// Writes as much as is taken without waiting for a reader; a file takes all that its disk does.
  package func write(_ bytes: Span<UInt8>, _ kind: Kind) throws(SystemError) -> Readiness {
    unsafe try bytes.withUnsafeBytes { bytes throws(SystemError) in
      switch kind {
      case .file: unsafe try Syscalls.write(number, bytes, doing: "write to the descriptor", path: nil)
      case .pipe, .socket: unsafe try Syscalls.writeNow(number, bytes, isSocket: kind == .socket)
      }
    }
  }
}

/// Descriptors that came with bytes of one connection and that nobody has taken yet.
///
/// Where in the bytes each stood the kernel does not say exactly: it belongs to a request whose line has
/// bytes of the same read. So it waits until all these lines were carried out, and is closed then.
@safe
package struct PassedDescriptors: ~Copyable {
  private struct Waiting {
    let descriptor: PassedDescriptor
    /// Bytes that had come when it had.
    let end: UInt64
  }

  private var waiting: [Waiting] = []
  private let limit: Int
  private let count: DescriptorCount
  private var receivedByteCount: UInt64 = 0
  /// Bytes that had come when some descriptor was closed because there were too many.
  private var refusedUntil: UInt64?

  /// - Parameter limit: descriptors that may wait; what comes beyond is closed.
  package init(limit: Int, countedIn count: DescriptorCount) {
    self.limit = limit
    self.count = count
  }

  package var isEmpty: Bool { waiting.isEmpty && refusedUntil == nil }
  /// Whether one came that was closed because too many are open.
  package var hasRefused: Bool { refusedUntil != nil }

  @unsafe
  mutating func receive(
    from socket: CInt, into bytes: UnsafeMutableRawBufferPointer
  ) throws(SystemError) -> Readiness {
    var numbers: [CInt] = []
    var isCut = false
    let readiness: Readiness
    do throws(SystemError) {
      readiness = unsafe try Syscalls.receivePassed(socket, into: bytes, &numbers, &isCut)
    } catch {
      for number in numbers { Syscalls.close(number) }
      throw error
    }
    if case .bytes(let count) = readiness { receivedByteCount += UInt64(count) }
    if isCut { refusedUntil = receivedByteCount }
    if !numbers.isEmpty { add(numbers, isCut: isCut) }
    return readiness
  }

  /// One at a time is what a request takes; of several nobody could say which is meant.
  private mutating func add(_ numbers: [CInt], isCut: Bool) {
    guard numbers.count == 1, !isCut, waiting.count < limit else {
      for number in numbers { Syscalls.close(number) }
      refusedUntil = receivedByteCount
      return
    }
    guard let descriptor = PassedDescriptor(adopting: numbers[0], countedIn: count) else {
      refusedUntil = receivedByteCount
      return
    }
    waiting.append(Waiting(descriptor: descriptor, end: receivedByteCount))
  }

  /// The one that came first.
  package mutating func take() -> PassedDescriptor? {
    waiting.isEmpty ? nil : waiting.removeFirst().descriptor
  }

  /// Closes those that no request has taken whose line is carried out.
  /// - Parameter leftByteCount: bytes of lines that are not carried out yet.
  package mutating func drop(leftByteCount: Int) {
    let done = receivedByteCount - UInt64(leftByteCount)
    waiting.removeAll { $0.end <= done }
    if let refused = refusedUntil, refused <= done { refusedUntil = nil }
  }

  /// Closes all.
  package mutating func dropAll() {
    waiting = []
    refusedUntil = nil
  }
}

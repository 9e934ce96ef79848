// A client that costs little: request bytes made beforehand, answers counted by their line ends.

import Platform
import Wire

/// One blocking connection that sends windows of requests and waits for all their answers.
@safe struct SocketClient: ~Copyable {
  private let socket: UnixSocket
  private let room: UnsafeMutableRawBufferPointer
  /// Answers that were errors.
  private(set) var errorCount = 0

  init(path: String) throws {
    socket = try UnixSocket.connect(to: path, atMost: .seconds(10))
    unsafe room = .allocate(byteCount: 1 << 20, alignment: 64)
  }

  deinit { unsafe room.deallocate() }

  /// Sends `requests` (whole lines) and reads `count` answers. The requests must fit the kernel's buffer or
  /// be one line, because nothing is read before all is written.
  mutating func exchange(_ requests: [UInt8], count: Int) throws {
    guard case .bytes = try socket.writeAll(requests.span) else { throw ClientFailure.hungUp }
    var missing = count
    while missing > 0 {
      guard case .bytes(let byteCount) = unsafe try socket.read(into: room), byteCount > 0 else {
        throw ClientFailure.hungUp
      }
      let answers = unsafe UnsafeRawBufferPointer(rebasing: room[0..<byteCount])
      missing -= unsafe Self.lineEnds(answers)
      if unsafe Self.hasError(answers) { errorCount += 1 }
    }
  }

  /// Sends whole lines without waiting for answers.
  borrowing func send(_ lines: ArraySlice<UInt8>) throws {
    guard case .bytes = try socket.writeAll(lines.span) else { throw ClientFailure.hungUp }
  }

  /// Waits for answers; how many have ended.
  mutating func receive() throws -> Int {
    guard case .bytes(let byteCount) = unsafe try socket.read(into: room), byteCount > 0 else {
      throw ClientFailure.hungUp
    }
    let answers = unsafe UnsafeRawBufferPointer(rebasing: room[0..<byteCount])
    if unsafe Self.hasError(answers) { errorCount += 1 }
    return unsafe Self.lineEnds(answers)
  }

  /// Has the connection reported in `events` when there is something to read.
  borrowing func watch(in events: borrowing EventLoop, token: UInt64) throws {
    try events.add(socket.descriptor, token: token, interest: .read)
  }

  /// Sends one line and returns its answer.
  mutating func call(_ request: String) throws -> String {
    guard case .bytes = try socket.writeAll(Array((request + "\n").utf8).span) else {
      throw ClientFailure.hungUp
    }
    var answer: [UInt8] = []
    while answer.last != UInt8(ascii: "\n") {
      guard case .bytes(let byteCount) = unsafe try socket.read(into: room), byteCount > 0 else {
        throw ClientFailure.hungUp
      }
      unsafe answer.append(contentsOf: room[0..<byteCount])
    }
    return String(decoding: answer.dropLast(), as: UTF8.self)
  }

  private static func lineEnds(_ bytes: UnsafeRawBufferPointer) -> Int {
    let span = unsafe Span<UInt8>(_unsafeElements: bytes.bindMemory(to: UInt8.self))
    var count = 0
    var place = 0
    while let found = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: span.extracting(place..<span.count)) {
      count += 1
      place += found + 1
    }
    return count
  }

  /// Looks at the first answer of what was read: enough to notice that a benchmark measures errors.
  private static func hasError(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let word: StaticString = "\"error\""
    let pattern = unsafe UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
    for place in 0..<max(0, min(80, bytes.count) - pattern.count) {
      let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[place..<place + pattern.count])
      if unsafe part.elementsEqual(pattern) { return true }
    }
    return false
  }
}

enum ClientFailure: Error { case hungUp, answeredWithErrors }

/// Times of many exchanges.
struct Timings {
  private var nanoseconds: [UInt64] = []
  private let clock = SystemClock()

  mutating func time<Result>(_ body: () throws -> Result) rethrows -> Result {
    let start = clock.monotonicTime().nanoseconds
    let result = try body()
    nanoseconds.append(clock.monotonicTime().nanoseconds - start)
    return result
  }

  mutating func add(_ time: Duration) { nanoseconds.append(UInt64(max(0, time.wholeNanoseconds))) }

  mutating func add(_ others: Timings) { nanoseconds += others.nanoseconds }

  var count: Int { nanoseconds.count }

  var totalSeconds: Double { Double(nanoseconds.reduce(0, +)) / 1e9 }

  /// In microseconds.
  func quantile(_ share: Double) -> Double {
    let sorted = nanoseconds.sorted()
    if sorted.isEmpty { return 0 }
    return Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]) / 1e3
  }
}

// Files: what is written is read back, modes mean what they say, errors name call and path.

import Glibc
import Platform
import TestSupport
import Testing

@Suite struct OpenFileTests {
  let place: TemporaryDirectory

  init() throws { place = try TemporaryDirectory() }

  @Test(arguments: [0, 1, 4095, 4096, 4097, 1 << 20])
  func whatIsWrittenIsReadBack(count: Int) throws {
    let bytes = KernelRandom.bytes(count: count)
    let file = try OpenFile(place.path(of: "f"), .createNew)
    try file.write(bytes)
    try file.sync()
    #expect(try file.size() == count)
    #expect(try file.readAll(limit: count) == bytes)
    try file.close()
    let again = try OpenFile(place.path(of: "f"), .read)
    var found = [UInt8](repeating: 0, count: count + 1)
    var span = found.mutableSpan
    #expect(try again.read(into: &span) == count)
    #expect(Array(found[..<count]) == bytes)
  }

  @Test func positionedTransfersLeaveThePositionAlone() throws {
    let file = try OpenFile(place.path(of: "f"), .createNew)
    try file.write([1, 2, 3, 4])
    try file.write([9, 8], at: 1)
    try file.write([5])
    var found = [UInt8](repeating: 0, count: 8)
    var span = found.mutableSpan
    #expect(try file.read(at: 1, into: &span) == 4)
    #expect(found == [9, 8, 4, 5, 0, 0, 0, 0])
  }

  @Test func newFilesArePrivate() throws {
    let file = try OpenFile(place.path(of: "f"), .createNew)
    #expect(try file.status().permissions == 0o600)
    #expect(try file.status().kind == .regular)
    #expect(try file.status().ownerUserID == CurrentProcess.effectiveUserID)
  }

  @Test func creatingRefusesWhatIsThere() throws {
    _ = try OpenFile(place.path(of: "f"), .createNew)
    #expect(throws: failure(EEXIST, "open", "create", "f")) {
      _ = try OpenFile(place.path(of: "f"), .createNew)
    }
  }

  @Test func openingWhatIsNotThereNamesIt() {
    #expect(throws: failure(ENOENT, "open", "open", "none")) {
      _ = try OpenFile(place.path(of: "none"), .read)
    }
    #expect(throws: failure(ENOENT, "open", "open", "none")) {
      _ = try OpenFile(place.path(of: "none"), .readWrite)
    }
  }

  @Test func aNulByteInAPathIsRefusedNotCut() throws {
    _ = try OpenFile(place.path(of: "f"), .createNew)
    #expect(throws: failure(EINVAL, "open", "open", "f\0x")) {
      _ = try OpenFile(place.path(of: "f\0x"), .read)
    }
  }

  @Test func replacingForgetsAppendingKeeps() throws {
    let path = place.path(of: "f")
    try OpenFile(path, .append).write([1, 2])
    try OpenFile(path, .append).write([3])
    #expect(try OpenFile(path, .read).readAll(limit: 3) == [1, 2, 3])
    try OpenFile(path, .replace).write([4])
    #expect(try OpenFile(path, .read).readAll(limit: 3) == [4])
  }

  @Test func readingAllHasALimit() throws {
    let file = try OpenFile(place.path(of: "f"), .createNew)
    try file.write([1, 2, 3])
    #expect(try file.readAll(limit: 3) == [1, 2, 3])
    #expect(throws: failure(EFBIG, "fstat", "read", "f")) { _ = try file.readAll(limit: 2) }
  }

  @Test func truncatingCutsAndLengthens() throws {
    let file = try OpenFile(place.path(of: "f"), .createNew)
    try file.write([1, 2, 3])
    try file.truncate(to: 1)
    try file.truncate(to: 2)
    #expect(try file.readAll(limit: 9) == [1, 0])
    #expect(try file.freeBytes() > 0)
  }

  @Test func reservedRoomReadsAsZeros() throws {
    let file = try OpenFile(place.path(of: "f"), .createNew)
    try file.reserve(8192)
    #expect(try file.readAll(limit: 8192) == [UInt8](repeating: 0, count: 8192))
  }

  @Test func aReadOnlyFileCannotBeWritten() throws {
    try OpenFile(place.path(of: "f"), .replace).close()
    let file = try OpenFile(place.path(of: "f"), .read)
    #expect(throws: failure(EBADF, "write", "write", "f")) { try file.write([1]) }
    #expect(throws: failure(EBADF, "pwrite", "write", "f")) { try file.write([1], at: 0) }
  }

  @Test func droppingAFileClosesItsDescriptor() throws {
    let number: CInt
    do {
      let file = try OpenFile(place.path(of: "f"), .createNew)
      number = file.descriptor
      #expect(fcntl(number, F_GETFD) == FD_CLOEXEC)
    }
    // Another test may have got the number meanwhile, but not for this file.
    let found = try? place.directory.status(of: "f")?.identity
    let reused = try? OpenFile(adopting: dup(number), path: "reused").status().identity
    #expect(reused == nil || reused != found)
  }

  @Test func directTransfersReadTheLastPartOfABlock() throws {
    let bytes = KernelRandom.bytes(count: 4096 + 100)
    try OpenFile(place.path(of: "f"), .createNew).write(bytes)
    guard let file = try? OpenFile(place.path(of: "f"), .read, direct: true) else {
      // tmpfs before Linux 6.6 has no O_DIRECT; its refusal is the documented one.
      #expect(throws: failure(EINVAL, "open", "open", "f")) {
        _ = try OpenFile(place.path(of: "f"), .read, direct: true)
      }
      return
    }
    let memory = try PageMemory(byteCount: 8192)
    let count = unsafe try file.read(at: 0, into: memory.bytes)
    #expect(count == bytes.count)
    #expect(unsafe Array(memory.bytes[..<count]) == bytes)
  }

  private func failure(_ code: CInt, _ call: String, _ doing: String, _ name: String) -> SystemError {
    SystemError(code: code, call: call, doing: doing, path: place.path(of: name))
  }
}

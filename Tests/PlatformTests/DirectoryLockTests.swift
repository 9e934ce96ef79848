// One process at a time has a data directory, and a second one learns which.

import Glibc
import Platform
import TestSupport
import Testing

@Suite struct DirectoryLockTests {
  let place: TemporaryDirectory

  init() throws { place = try TemporaryDirectory() }

  @Test func aSecondOpenFileIsRefusedWithThePidOfTheFirst() throws {
    let lock = try DirectoryLock(place.directory)
    #expect(throws: DirectoryError.locked(path: place.path, processID: CurrentProcess.id)) {
      _ = try DirectoryLock(place.directory)
    }
    let text = try place.directory.readFile(DirectoryLock.fileName)
    #expect(text?.starts(with: Array("\(CurrentProcess.id)\n".utf8)) == true)
    _ = consume lock
  }

  @Test func aCopyOfADirectoryInUseIsKnownByItsLockFile() throws {
    let lock = try DirectoryLock(place.directory)
    #expect(!DirectoryLock.isOfCopy(place.directory))
    let copy = try place.directory.makeDirectory("copy")
    #expect(!DirectoryLock.isOfCopy(copy), "there is no lock file")
    let bytes = try #require(try place.directory.readFile(DirectoryLock.fileName))
    try copy.replaceFile(DirectoryLock.fileName, with: bytes)
    #expect(DirectoryLock.isOfCopy(copy))
    _ = consume lock
    try copy.replaceFile(DirectoryLock.fileName, with: [])
    #expect(!DirectoryLock.isOfCopy(copy), "nobody used it")
  }

  @Test func aRefusalDoesNotHurtTheHolder() throws {
    let lock = try DirectoryLock(place.directory)
    for _ in 0..<3 {
      // Opening and closing the same file would release an fcntl lock.
      #expect(throws: DirectoryError.self) { _ = try DirectoryLock(place.directory) }
    }
    _ = consume lock
  }

  @Test func aLockThatIsDroppedCanBeTakenAgain() throws {
    for _ in 0..<3 {
      let lock = try DirectoryLock(place.directory)
      _ = consume lock
      #expect(try place.directory.readFile(DirectoryLock.fileName) == [])
    }
  }

  /// A child has copies of all descriptors from its fork to its exec, whichever thread starts it.
  @Test func aLockThatIsDroppedIsFreeWhateverCopiesOfItsDescriptorThereAre() throws {
    let path = place.path(of: DirectoryLock.fileName)
    let lock = try DirectoryLock(place.directory)
    let held = try #require((0..<CInt(clamping: getdtablesize())).first { file(of: $0) == path })
    let copy = dup(held)
    defer { close(copy) }
    _ = consume lock
    #expect(file(of: copy) == path)
    _ = try DirectoryLock(place.directory)
  }

  @Test func anotherProcessIsRefused() async throws {
    let lock = try DirectoryLock(place.directory)
    let path = place.path
    let holder = CurrentProcess.id
    await #expect(processExitsWith: .success) { [path = path as String, holder = holder as Int32] in
      let directory = try DataDirectory(existing: path)
      #expect(throws: DirectoryError.locked(path: path, processID: holder)) {
        _ = try DirectoryLock(directory)
      }
    }
    _ = consume lock
  }

  @Test func aCrashGivesTheLockBack() async throws {
    let path = place.path
    await #expect(processExitsWith: .exitCode(9)) { [path = path as String] in
      let lock = try DirectoryLock(DataDirectory(existing: path))
      crash(holding: lock)
    }
    let left = try place.directory.readFile(DirectoryLock.fileName)
    #expect(left != [] && left != nil)
    let lock = try DirectoryLock(place.directory)
    let taken = try place.directory.readFile(DirectoryLock.fileName)
    #expect(taken?.starts(with: Array("\(CurrentProcess.id)\n".utf8)) == true)
    _ = consume lock
  }

  /// A lock of the program `flock` counts too; it writes no pid, so none is named.
  @Test func aLockOfAStrangerIsRespected() throws {
    let path = place.path(of: DirectoryLock.fileName)
    let ready = place.path(of: "ready")
    var stranger = try ChildProcess([
      "sh", "-c", "exec 9>\"$0\"; flock -n 9 || exit 3; : >\"$1\"; cat >/dev/null", path, ready,
    ])
    while try place.directory.status(of: "ready") == nil { Thread.yield() }
    #expect(throws: DirectoryError.locked(path: place.path, processID: nil)) {
      _ = try DirectoryLock(place.directory)
    }
    #expect(try stranger.finish() == 0)
    _ = try DirectoryLock(place.directory)
  }

  @Test func aLinkInPlaceOfTheLockIsNotFollowed() throws {
    try place.directory.replaceFile("precious", with: [1, 2, 3])
    var link = try ChildProcess(["ln", "-s", "precious", place.path(of: DirectoryLock.fileName)])
    #expect(try link.finish() == 0)
    let error = #expect(throws: DirectoryError.self) { _ = try DirectoryLock(place.directory) }
    guard case .failed(let cause) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(cause.name == "ELOOP")
    #expect(try place.directory.readFile("precious") == [1, 2, 3])
  }
}

/// The path of the file that a descriptor of this process is open on; nil when it is not open.
private func file(of descriptor: CInt) -> String? {
  var name = [CChar](repeating: 0, count: Int(PATH_MAX))
  let count = unsafe readlink("/proc/self/fd/\(descriptor)", &name, name.count)
  return count < 0 ? nil : String(decoding: name.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// Ends the process without a destructor: as after kill -9, the pid stays in the file.
private func crash(holding lock: borrowing DirectoryLock) { CurrentProcess.exitImmediately(9) }

// A data directory: private, refused when the world may write to it, changed in steps that survive.

import Glibc
import Platform
import TestSupport
import Testing

@Suite struct DataDirectoryTests {
  let place: TemporaryDirectory

  init() throws { place = try TemporaryDirectory() }

  @Test func aNewDirectoryIsPrivate() throws {
    let made = try DataDirectory(creating: place.path(of: "new"))
    #expect(try place.directory.status(of: "new")?.permissions == 0o700)
    #expect(try made.names() == [])
    // Once more: it exists, and that is fine, with a slash at the end too.
    _ = try DataDirectory(creating: place.path(of: "new"))
    _ = try DataDirectory(creating: place.path(of: "newer/"))
  }

  @Test func aWorldWritableDirectoryIsRefused() throws {
    _ = try place.directory.makeDirectory("open")
    let path = place.path(of: "open")
    for permissions: UInt32 in [0o777, 0o1777, 0o702] {
      let result = unsafe chmod(path, permissions)
      #expect(result == 0)
      #expect(throws: DirectoryError.worldWritable(path: path, permissions: permissions)) {
        _ = try DataDirectory(creating: path)
      }
    }
    let result = unsafe chmod(path, 0o770)
    #expect(result == 0)
    _ = try DataDirectory(existing: path)
  }

  @Test func whatIsNoDirectoryIsRefused() throws {
    let path = place.path(of: "file")
    try OpenFile(path, .createNew).close()
    #expect(throws: DirectoryError.notADirectory(path: path, found: .regular)) {
      _ = try DataDirectory(creating: path)
    }
  }

  @Test func aMissingParentIsNamed() {
    let path = place.path(of: "none/data")
    let missing = SystemError(code: ENOENT, call: "mkdir", doing: "create the directory", path: path)
    #expect(throws: DirectoryError.failed(missing)) { _ = try DataDirectory(creating: path) }
    let unseen = SystemError(code: ENOENT, call: "stat", doing: "look at", path: path)
    #expect(throws: DirectoryError.failed(unseen)) { _ = try DataDirectory(existing: path) }
  }

  @Test func namesAreSortedByTheirBytes() throws {
    for name in ["b", "a", "é", "Z", "a b", ".hidden"] {
      try place.directory.open(name, .createNew).close()
    }
    #expect(try place.directory.names() == [".hidden", "Z", "a", "a b", "b", "é"])
  }

  @Test func renamingReplacesAndRemovingRemoves() throws {
    try place.directory.replaceFile("a", with: [1])
    try place.directory.replaceFile("b", with: [2])
    try place.directory.rename("a", to: "b")
    #expect(try place.directory.readFile("b") == [1])
    #expect(try place.directory.readFile("a") == nil)
    try place.directory.removeFile("b")
    try place.directory.sync()
    #expect(try place.directory.names() == [])
    #expect(throws: SystemError.self) { try place.directory.removeFile("b") }
  }

  @Test func replacingAFileLeavesNoTemporary() throws {
    for bytes: [UInt8] in [[1, 2, 3], [], [9]] {
      try place.directory.replaceFile("small", with: bytes)
      #expect(try place.directory.readFile("small") == bytes)
      #expect(try place.directory.names() == ["small"])
      #expect(try place.directory.status(of: "small")?.permissions == 0o600)
    }
  }

  @Test func aLeftoverOfACrashIsNoObstacle() throws {
    let leftover = try place.directory.open("small.tmp", .createNew)
    try leftover.write([7, 7, 7, 7])
    try place.directory.replaceFile("small", with: [1])
    #expect(try place.directory.readFile("small") == [1])
    #expect(try place.directory.names() == ["small"])
  }

  @Test func aReplacementThatFailsKeepsTheOldFile() throws {
    _ = try place.directory.makeDirectory("small")
    #expect(throws: SystemError.self) { try place.directory.replaceFile("small", with: [1]) }
    #expect(try place.directory.names() == ["small"])
  }

  @Test func readingHasALimit() throws {
    try place.directory.replaceFile("f", with: [1, 2, 3])
    #expect(try place.directory.readFile("f", limit: 3) == [1, 2, 3])
    let error = #expect(throws: SystemError.self) { try place.directory.readFile("f", limit: 2) }
    #expect(error?.name == "EFBIG")
  }

  @Test func removingADirectoryDoesNotFollowLinks() throws {
    try place.directory.replaceFile("keep", with: [1])
    let inner = try place.directory.makeDirectory("inner")
    _ = try inner.makeDirectory("deeper").replaceFile("f", with: [2])
    let result = unsafe symlink(place.path, inner.path(of: "link"))
    #expect(result == 0)
    try place.directory.removeDirectory("inner")
    #expect(try place.directory.names() == ["keep"])
  }

  @Test func aDirectoryIsMadeOnce() throws {
    _ = try place.directory.makeDirectory("d")
    let error = #expect(throws: SystemError.self) { try place.directory.makeDirectory("d") }
    #expect(error?.name == "EEXIST")
  }
}

@Test(arguments: [
  (
    DirectoryError.worldWritable(path: "/d", permissions: 0o1777),
    "the data directory \"/d\" may be written by every user (mode 01777): take that away with chmod o-w, "
      + "or choose another directory"
  ),
  (
    .notADirectory(path: "/d", found: .socket),
    "\"/d\" is a socket, not a directory: choose another data directory"
  ),
  (
    .locked(path: "/d", processID: 12),
    "the data directory \"/d\" is in use by process 12: stop that server first"
  ),
  (
    .locked(path: "/d", processID: nil),
    "the data directory \"/d\" is in use by another process: stop that server first"
  ),
])
func theTextOfADirectoryErrorNamesTheWayOut(error: DirectoryError, text: String) {
  #expect(error.description == text)
}

@Test func pathsAreJoinedAndTakenApart() {
  #expect(PathName.join("/a", "b") == "/a/b")
  #expect(PathName.join("/a/", "b") == "/a/b")
  #expect(PathName.join("", "b") == "b")
  #expect(["a/b/c", "/a", "a", "/"].map(PathName.directory(of:)) == ["a/b", "/", ".", "/"])
  #expect(["a/b/c", "/a", "a", "a/"].map(PathName.last(of:)) == ["c", "a", "a", ""])
}

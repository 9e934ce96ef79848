// A child gets its input and arguments whole, and its end is told exactly.

import Platform
import TestSupport
import Testing

@Suite struct ChildProcessTests {
  let place: TemporaryDirectory

  init() throws { place = try TemporaryDirectory() }

  @Test func aChildReadsWhatIsWritten() throws {
    var child = try ChildProcess(["sh", "-c", "cat >\"$0\"", place.path(of: "out")])
    let bytes = KernelRandom.bytes(count: 300_000)
    try child.standardInput?.write(bytes)
    #expect(try child.finish() == 0)
    #expect(child.standardInput == nil)
    #expect(try place.directory.readFile("out") == bytes)
  }

  @Test func argumentsArriveUnchanged() throws {
    let arguments = ["", "two words", "é", "-x", "\"quoted\"", "a\nb"]
    var child = try ChildProcess(
      ["sh", "-c", "printf '%s|' \"$@\" >\"$0\"", place.path(of: "out")] + arguments)
    #expect(try child.finish() == 0)
    let expected = arguments.map { $0 + "|" }.joined()
    #expect(try place.directory.readFile("out") == Array(expected.utf8))
  }

  @Test func theEndIsToldByItsCode() throws {
    for code: Int32 in [0, 1, 77, 255] {
      var child = try ChildProcess(["sh", "-c", "exit \(code)"])
      #expect(try child.finish() == code)
    }
    var killed = try ChildProcess(["sh", "-c", "kill -TERM $$"])
    #expect(try killed.finish() == 128 + 15)
  }

  @Test func aProgramThatIsNotThereIsNamed() {
    let missing = SystemError(code: 2, call: "posix_spawn", doing: "run", path: "ledgerline-no-such-pager")
    #expect(throws: missing) { _ = try ChildProcess(["ledgerline-no-such-pager"]) }
  }

  /// A child must not hold our files open: a lock or a socket would outlive us.
  @Test func descriptorsAreNotInherited() throws {
    let lock = try DirectoryLock(place.directory)
    var child = try ChildProcess([
      "sh", "-c", "ls -l /proc/self/fd >\"$0\"", place.path(of: "out"),
    ])
    #expect(try child.finish() == 0)
    let text = String(decoding: try place.directory.readFile("out") ?? [], as: UTF8.self)
    #expect(!text.isEmpty)
    #expect(!text.contains("LOCK"))
    _ = consume lock
  }

  @Test func aChildThatIsDroppedIsWaitedFor() throws {
    let child = try ChildProcess(["sh", "-c", "cat >/dev/null; : >\"$0\"", place.path(of: "done")])
    _ = consume child
    #expect(try place.directory.status(of: "done") != nil)
  }
}

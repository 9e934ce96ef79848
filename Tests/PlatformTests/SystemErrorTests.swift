// The texts of failed system calls.

import Glibc
import Platform
import Testing

@Test func theTextSaysWhatWhereAndWhy() {
  let error = SystemError(code: ENOSPC, call: "pwrite", doing: "write", path: "/var/ledger/journal-0.seg")
  #expect(error.name == "ENOSPC")
  #expect(
    error.description
      == "cannot write \"/var/ledger/journal-0.seg\": No space left on device (ENOSPC from pwrite)")
}

@Test func theTextDoesWithoutAPath() {
  let error = SystemError(code: EMFILE, call: "epoll_create1", doing: "make an event loop")
  #expect(error.description == "cannot make an event loop: Too many open files (EMFILE from epoll_create1)")
}

@Test func aPathStaysOnOneLine() {
  let error = SystemError(code: ENOENT, call: "open", doing: "open", path: "a\n\"b\"\\\u{1}")
  #expect(!error.description.contains("\n"))
  #expect(error.description.hasPrefix("cannot open \"a\\n\\\"b\\\"\\\\\\u{01}\": No such file"))
}

@Test func anUnknownNumberIsNamedByItself() {
  #expect(SystemError(code: 4095, call: "open", doing: "open").name == "errno 4095")
}

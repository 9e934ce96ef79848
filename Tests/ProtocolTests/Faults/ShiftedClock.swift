// The wall clock of another process, shifted by the test.

import Foundation
import Platform
import TestSupport

/// A clock of its own for each program that is started with `shell`. Monotonic time is as it is.
final class ShiftedClock {
  private static let source = "shifted-clock"

  let shell: String
  private let file: OpenFile
  private(set) var seconds = 0

  /// nil, and said aloud, when there is no compiler for the library that is put before the C library.
  init?(in directory: TemporaryDirectory, for test: String) throws {
    let library = directory.path(of: Self.source + ".so")
    let source = Bundle.module.bundleURL.appending(path: "Data/\(Self.source).c").path()
    let compiler = Process()
    compiler.executableURL = URL(filePath: "/bin/sh")
    let compile = """
      for c in cc clang gcc; do
        command -v $c >/dev/null && exec $c -shared -fPIC -O1 -o "$0" "$1"
      done
      exit 127
      """
    compiler.arguments = ["-c", compile, library, source]
    try compiler.run()
    compiler.waitUntilExit()
    guard compiler.terminationStatus == 0 else {
      Skipped.tell(test, "no C compiler on PATH")
      return nil
    }
    let path = directory.path(of: "shift")
    file = try OpenFile(path, .createOrOpen)
    // What a sanitizer has preloaded stays.
    shell = "export LD_PRELOAD=\(library)${LD_PRELOAD:+:$LD_PRELOAD} SHIFTED_CLOCK=\(path)"
    try set(0)
  }

  /// At once, in every program that runs.
  func set(_ seconds: Int) throws {
    self.seconds = seconds
    let bits = UInt64(bitPattern: Int64(seconds))
    try file.write((0..<8).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }, at: 0)
  }
}

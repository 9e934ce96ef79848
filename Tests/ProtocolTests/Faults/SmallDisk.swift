// A small file system of a test's own: tmpfs in memory, or ext4 in a file. Only root may mount them.

import Foundation
import Platform
import TestSupport

/// Mounted until this object goes.
final class SmallDisk {
  enum Kind: String, CaseIterable { case tmpfs, ext4 }

  struct Unavailable: Error { let reason: String }

  let directory: TemporaryDirectory
  /// Where it is mounted.
  let path: String
  private var isMounted = false

  /// - Throws: `Unavailable` when this machine does not let the test mount.
  init(_ kind: Kind, byteCount: Int) throws {
    let directory = try TemporaryDirectory()
    self.directory = directory
    path = directory.path(of: "disk")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    switch kind {
    case .tmpfs:
      try Self.run("mount", "-t", "tmpfs", "-o", "size=\(byteCount)", "tmpfs", path)
    case .ext4:
      let image = directory.path(of: "image")
      try Self.run("truncate", "-s", "\(byteCount)", image)
      try Self.run("mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", image)
      try Self.run("mount", "-o", "loop", image, path)
    }
    isMounted = true
  }

  /// nil, and said aloud, when there can be none.
  static func mounted(_ kind: Kind, byteCount: Int, for test: String) -> SmallDisk? {
    do {
      return try SmallDisk(kind, byteCount: byteCount)
    } catch {
      Skipped.tell(
        test, "no \(kind.rawValue) can be mounted: \((error as? Unavailable)?.reason ?? "\(error)")")
      return nil
    }
  }

  private static func run(_ words: String...) throws {
    let tool = Process()
    tool.executableURL = URL(filePath: "/usr/bin/env")
    tool.arguments = words
    let output = Pipe()
    tool.standardOutput = output
    tool.standardError = output
    var environment = ProcessInfo.processInfo.environment
    environment["PATH"] = (environment["PATH"] ?? "") + ":/usr/sbin:/sbin"
    tool.environment = environment
    do { try tool.run() } catch { throw Unavailable(reason: "\(error)") }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    tool.waitUntilExit()
    guard tool.terminationStatus == 0 else {
      throw Unavailable(reason: "\(words[0]): \(text.prefix { $0 != "\n" })")
    }
  }

  private var ballastPath: String { path + "/ballast" }

  var freeByteCount: Int {
    get throws { try OpenFile(directory.path(of: "disk"), .read).freeBytes() }
  }

  /// Takes all room but `byteCount`, as far as pages and blocks allow.
  func leave(_ byteCount: Int) throws {
    let file = try OpenFile(ballastPath, .createOrOpen)
    var size = try file.size()
    let page = [UInt8](repeating: 0xAB, count: 4096)
    // Blocks of the file system's own are taken on the way: look again.
    while try file.freeBytes() >= byteCount + page.count {
      do {
        try file.write(page, at: size)
      } catch {
        if error.name == "ENOSPC" { break }
        throw error
      }
      size += page.count
    }
    try file.sync()
  }

  func makeRoom() throws { try FileManager.default.removeItem(atPath: ballastPath) }

  deinit {
    if isMounted { try? Self.run("umount", "-l", path) }
  }
}

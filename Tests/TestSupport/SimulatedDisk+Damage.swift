// Looking at the files of a simulated disk, and damaging them, past all calls.

import Glibc
import Platform

extension SimulatedDisk {
  /// The paths of all files, sorted.
  package var filePaths: [String] {
    state.withLock { state in
      var paths: [String] = []
      func walk(_ node: Int, _ path: String) {
        for (name, child) in state.nodes[node].entries {
          let inner = path + "/" + name
          if state.nodes[child].isDirectory { walk(child, inner) } else { paths.append(inner) }
        }
      }
      walk(0, "")
      return paths.sorted()
    }
  }

  /// A number that two disks have in common when all their files are alike, as read and as written past the
  /// cache. Nothing may be unsynced. Files whose names `leavesOut` is true of are passed over.
  package func fingerprint(leavingOut leavesOut: (String) -> Bool = { _ in false }) -> UInt64 {
    state.withLock { state in
      func walk(_ node: Int) -> UInt64 {
        var sum = Checksum.xxh3([])
        for (name, child) in state.nodes[node].entries.sorted(by: { $0.key < $1.key })
        where !leavesOut(name) {
          sum = Checksum.xxh3(Array(name.utf8), seed: sum)
          let inner = state.nodes[child].isDirectory ? walk(child) : state.nodes[child].cached.fingerprint
          sum = sum &* 0x9E37_79B9_7F4A_7C15 &+ inner
        }
        return sum
      }
      return walk(0)
    }
  }

  /// The bytes of a file as they are read; nil when there is none.
  package func contents(_ path: String) -> [UInt8]? {
    state.withLock { state in state.node(path).map { state.nodes[$0].cached.bytes } }
  }

  /// One byte of a file.
  package func byte(_ path: String, _ offset: Int) -> UInt8 {
    state.withLock { state in
      guard let node = state.node(path) else { preconditionFailure("no file \(path)") }
      var byte: UInt8 = 0
      _ = unsafe withUnsafeMutableBytes(of: &byte) {
        unsafe state.nodes[node].cached.read(at: offset, into: $0)
      }
      return byte
    }
  }

  /// Gives the file at `path`, which must exist, other bytes: as read and on the disk.
  package func setContents(_ path: String, _ bytes: [UInt8]) {
    change(path) { contents in
      contents.setByteCount(bytes.count)
      contents.write(bytes, at: 0)
    }
  }

  /// Writes over some bytes of a file, as read and on the disk.
  package func overwrite(_ path: String, at offset: Int, _ bytes: [UInt8]) {
    change(path) { $0.write(bytes, at: offset) }
  }

  /// Cuts a file, as read and on the disk.
  package func cut(_ path: String, to byteCount: Int) { change(path) { $0.setByteCount(byteCount) } }

  /// Takes a file's name away, as read and on the disk.
  package func removeName(_ path: String) {
    state.withLock { state in
      guard let parent = state.node(PathName.directory(of: path)) else { return }
      state.nodes[parent].entries[PathName.last(of: path)] = nil
      state.nodes[parent].durableEntries[PathName.last(of: path)] = nil
    }
  }

  private func change(_ path: String, _ body: (inout PagedBytes) -> Void) {
    state.withLock { state in
      guard let node = state.node(path) else { preconditionFailure("no file \(path)") }
      precondition(state.nodes[node].pending.isEmpty, "only a file at rest is damaged")
      body(&state.nodes[node].cached)
      body(&state.nodes[node].durable)
    }
  }
}

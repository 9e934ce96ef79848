// What stands in a data directory: the manifest's word and the snapshots that are there, put in order.

import Platform

/// A snapshot that might be loaded.
struct SnapshotCandidate: Equatable {
  var name: String
  var summary: SnapshotSummary
  /// The manifest does not list it: its writer died between the rename and the manifest, or the manifest is
  /// damaged.
  var isUnlisted: Bool
}

/// The findings of one look at a data directory; changes nothing.
struct DirectorySurvey {
  var directory: DataDirectory
  var manifest: ManifestReading
  /// Id of the directory; nil when nothing names one.
  var identifier: DirectoryIdentifier?
  /// What may be loaded, newest first.
  var candidates: [SnapshotCandidate] = []
  /// What is damaged or missing, newest first.
  var faults: [StorageFault] = []
  /// Names of snapshots that are damaged already by their summaries.
  var damagedNames: [String] = []
  /// Names of what was being written or removed when a process died.
  var leftovers: [String] = []
  /// Names of snapshots that do not count, and of those that were set aside.
  var ignored: [String] = []

  /// Whether there is nothing of ours: neither manifest nor snapshot.
  var isFresh: Bool { manifest.isMissing && candidates.isEmpty && faults.isEmpty }

  /// The greatest number that a manifest or a snapshot bears.
  var greatestSequence: UInt64 {
    max(manifest.manifest?.sequence ?? 0, candidates.map(\.summary.sequence).max() ?? 0)
  }

  static let missingFinding = "the snapshot is missing, the manifest lists it"

  init(_ directory: DataDirectory) throws(StorageError) {
    self.directory = directory
    let names: [String]
    do throws(SystemError) {
      names = try directory.names()
      manifest = try Manifest.read(in: directory)
    } catch {
      throw .failed(error)
    }
    faults = manifest.faults
    var found: [SnapshotCandidate] = []
    var unreadable: [String: StorageFault] = [:]
    for name in names {
      if SnapshotName.isLeftover(name) || name == Manifest.fileName + ".tmp" {
        leftovers.append(name)
      } else if let position = SnapshotName.position(name) {
        do throws(StorageError) {
          let summary = try Self.summary(directory, name, position: position)
          found.append(SnapshotCandidate(name: name, summary: summary, isUnlisted: true))
        } catch {
          guard case .damaged(let fault) = error else { throw error }
          unreadable[name] = fault
        }
      } else if name.hasPrefix("damaged-snapshot-") || LeftOutName.isOne(name) {
        ignored.append(name)
      }
    }
    found.sort { $0.summary.sequence > $1.summary.sequence }
    identifier = manifest.manifest?.directory ?? found.first?.summary.directory
    choose(found, unreadable)
  }

  // MARK: Summaries

  static func summary(
    _ directory: DataDirectory, _ name: String, position: UInt64
  ) throws(StorageError) -> SnapshotSummary {
    let path = PathName.join(directory.path(of: name), SnapshotSummary.fileName)
    let bytes = try StorageError.damage(path) { () throws(SystemError) in
      try directory.readFile(PathName.join(name, SnapshotSummary.fileName), limit: SnapshotSummary.byteLimit)
    }
    guard let bytes else { throw .damaged(StorageFault(path: path, finding: "the file is missing")) }
    let summary: SnapshotSummary
    do throws(ContentFault) { summary = try SnapshotSummary(bytes) } catch {
      throw .damaged(StorageFault(path: path, offset: 0, finding: error.finding))
    }
    guard summary.position == position else {
      throw .damaged(
        StorageFault(path: path, offset: 0, finding: "the snapshot is of position \(summary.position)"))
    }
    return summary
  }

  // MARK: Choosing

  private mutating func choose(_ found: [SnapshotCandidate], _ unreadable: [String: StorageFault]) {
    guard let manifest = manifest.manifest else {
      if manifest.isMissing, !found.isEmpty || !unreadable.isEmpty {
        faults.append(
          StorageFault(
            path: directory.path(of: Manifest.fileName), finding: "the file is missing, snapshots are there"))
      }
      // Nothing says what counts: whatever is whole is taken, the newest first.
      for (name, fault) in unreadable.sorted(by: { $0.key < $1.key }) { damaged(name, fault) }
      for candidate in found { takeIfOurs(candidate) }
      return
    }
    for candidate in found where candidate.summary.sequence > manifest.sequence { takeIfOurs(candidate) }
    var listed: Set<String> = []
    for entry in manifest.snapshots.reversed() {
      let name = SnapshotName.of(position: entry.position)
      listed.insert(name)
      if let fault = unreadable[name] {
        damaged(name, fault)
      } else if var candidate = found.first(where: { $0.name == name }) {
        if candidate.summary.manifestEntry == entry {
          candidate.isUnlisted = false
          takeIfOurs(candidate)
        } else if candidate.summary.sequence <= manifest.sequence {
          damaged(
            name,
            fault(
              name,
              "this is snapshot \(hexadecimal(candidate.summary.snapshot)), the manifest lists "
                + hexadecimal(entry.snapshot)))
        }
      } else {
        faults.append(fault(name, Self.missingFinding))
      }
    }
    for (name, fault) in unreadable.sorted(by: { $0.key < $1.key }) where !listed.contains(name) {
      // Not listed by a good manifest: it may be one that never counted, or the newest one when the newest
      // copy of the manifest is damaged. In doubt it is named.
      damaged(name, fault)
    }
    for candidate in found
    where candidate.summary.sequence <= manifest.sequence && !listed.contains(candidate.name) {
      ignored.append(candidate.name)
    }
  }

  private mutating func takeIfOurs(_ candidate: SnapshotCandidate) {
    if candidate.summary.directory == identifier {
      candidates.append(candidate)
    } else {
      damaged(
        candidate.name,
        fault(
          candidate.name,
          "the snapshot is of directory \(candidate.summary.directory), this one is "
            + (identifier?.description ?? "unnamed")))
    }
  }

  private mutating func damaged(_ name: String, _ fault: StorageFault) {
    faults.append(fault)
    damagedNames.append(name)
  }

  private func fault(_ name: String, _ finding: String) -> StorageFault {
    StorageFault(
      path: PathName.join(directory.path(of: name), SnapshotSummary.fileName), offset: 0, finding: finding)
  }
}

// How far an import is, kept beside the file, so that a broken import can go on.

import LedgerlineClient
import Platform

/// What a progress file says. All records before `records` have their outcome; none after is known.
struct ImportProgress: Equatable {
  /// Made when the import began: part of the idempotency key of each batch.
  let id: String
  let entity: BookEntity
  /// Records in a batch: batches must be cut at the same places again for their keys to fit.
  let batchSize: Int
  /// Bytes of the imported file.
  let byteCount: Int
  var records = 0
  var created = 0
  var failed = 0

  static let suffix = ".ledgerline-progress"
  private static let version = 1

  static func path(of file: String) -> String { file + suffix }

  var text: String {
    JSONNode.object([
      .init("version", .int(Self.version)), .init("id", .string(id)), .init("kind", .string(entity.rawValue)),
      .init("batch", .int(batchSize)), .init("bytes", .int(byteCount)), .init("records", .int(records)),
      .init("created", .int(created)), .init("failed", .int(failed)),
    ]).text + "\n"
  }

  init(id: String, entity: BookEntity, batchSize: Int, byteCount: Int) {
    self.id = id
    self.entity = entity
    self.batchSize = batchSize
    self.byteCount = byteCount
  }

  /// Reads what `text` wrote; nil when it is something else.
  init?(_ text: String) {
    guard let node = try? JSONNode.parse(text), node["version"]?.int == Self.version,
      let id = node["id"]?.string, let entity = node["kind"]?.string.flatMap(BookEntity.init),
      let batchSize = node["batch"]?.int, batchSize > 0, let byteCount = node["bytes"]?.int,
      let records = node["records"]?.int, records >= 0, let created = node["created"]?.int,
      let failed = node["failed"]?.int
    else { return nil }
    self.init(id: id, entity: entity, batchSize: batchSize, byteCount: byteCount)
    self.records = records
    self.created = created
    self.failed = failed
  }

  /// The progress kept for `file`; nil when there is none.
  static func load(for file: String) throws -> ImportProgress? {
    guard let bytes = try FileReplacement.read(path(of: file), limit: 4096) else { return nil }
    guard let progress = ImportProgress(String(decoding: bytes, as: UTF8.self)) else {
      throw CommandFailure(.ownError, "\"\(path(of: file))\" is not a progress file; --restart replaces it")
    }
    return progress
  }

  func save(for file: String) throws {
    try FileReplacement.replace(Self.path(of: file), with: Array(text.utf8))
  }
}

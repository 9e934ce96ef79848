// Merging metadata: members of one JSON object put into another, without a tree.

import Ledger

/// The members that `metadata.update` sets or removes.
struct MetadataPatch: Sendable {
  private struct Change: Sendable {
    /// The key's text, escapes resolved.
    var name: [UInt8]
    /// Key and value as they are kept, `"key":value`; nil when the member goes.
    var member: [UInt8]?
  }

  private var changes: [Change] = []

  /// - Parameter object: a JSON object whose keys differ. Null removes a member.
  init(_ object: JSONValue) {
    changes.reserveCapacity(object.count)
    var members = object.members
    while let member = members.next() {
      let kept = member.value.kind == .null ? nil : Self.kept(member)
      changes.append(Change(name: Self.name(of: member.key), member: kept))
    }
  }

  private static func name(of key: JSONValue) -> [UInt8] {
    var name: [UInt8] = []
    key.appendString(to: &name)
    return name
  }

  private static func kept(_ member: JSONMember) -> [UInt8] {
    var text: [UInt8] = []
    ByteText.append(member.key.rawText, to: &text)
    text.append(UInt8(ascii: ":"))
    member.value.compacted(into: &text)
    return text
  }

  /// The object `current` (empty for `{}`) after the changes: members keep their places, new ones come last.
  /// O(bytes of both).
  /// - Throws: `metadataTooLong`.
  func merged(into current: [UInt8]) throws(Refusal) -> [UInt8] {
    var changed: [[UInt8]: Int] = [:]
    for (index, change) in changes.enumerated() { changed[change.name] = index }
    var isPlaced = [Bool](repeating: false, count: changes.count)
    var pieces: [[UInt8]] = []
    if !current.isEmpty {
      var document = JSONDocument(engine: .scanner)
      do throws(JSONFault) { try document.parse(copying: String(decoding: current, as: UTF8.self)) } catch {
        preconditionFailure("kept metadata is JSON: \(error)")
      }
      guard let object = document.root else { preconditionFailure("kept metadata can be read") }
      var members = object.members
      while let member = members.next() {
        guard let index = changed[Self.name(of: member.key)] else {
          pieces.append(Self.kept(member))
          continue
        }
        isPlaced[index] = true
        if let replacement = changes[index].member { pieces.append(replacement) }
      }
    }
    for (index, change) in changes.enumerated() where !isPlaced[index] {
      if let member = change.member { pieces.append(member) }
    }
    return try Self.object(pieces)
  }

  private static func object(_ pieces: [[UInt8]]) throws(Refusal) -> [UInt8] {
    if pieces.isEmpty { return [] }
    let byteCount = pieces.reduce(1) { $0 + $1.count + 1 }
    if byteCount > WireLimit.metadataBytes {
      throw .metadataTooLong(byteCount: byteCount, limit: WireLimit.metadataBytes)
    }
    var object: [UInt8] = []
    object.reserveCapacity(byteCount)
    for piece in pieces {
      object.append(object.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
      object.append(contentsOf: piece)
    }
    object.append(UInt8(ascii: "}"))
    return object
  }
}

// The identifiers of a table's rows, and the index from identifier to row.

import Columns

/// Sixteen bytes a row: a UUID, or the place of a chosen text in a heap.
@usableFromInline package struct StoredIdentifier: BitwiseCopyable, Hashable, Sendable {
  @usableFromInline package let high: UInt64
  /// For a UUID the two highest bits are 10; for a chosen text they are 00 and the rest is its place in the
  /// heap.
  @usableFromInline package let low: UInt64

  @inlinable package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  @inlinable package var isUUID: Bool { low >> 62 == 2 }
}

/// Identifiers by row, unique in their table. One writer appends; any thread looks up.
package final class IdentifierColumn: Sendable {
  package let kind: EntityKind
  private let stored = SegmentedColumn<StoredIdentifier>()
  private let texts = TextHeap()
  private let index = StripedIndex()

  package init(kind: EntityKind) { self.kind = kind }

  /// Bytes of chosen texts and of the index.
  package var byteCount: Int { texts.byteCount + index.byteCount }

  /// Makes the index for `rowCount` rows in all. Writer only.
  func reserve(_ rowCount: Int) { index.reserve(rowCount) }

  /// Gives `row` its identifier. The writer has made sure that it is not taken.
  package func append(_ identifier: Identifier, at row: RowIndex) {
    switch identifier {
    case .uuid(let high, let low):
      stored.append(StoredIdentifier(high: high, low: low), at: row)
      index.insert(hash: KeyHash.hash(high, low), row: row)
    case .custom(var text):
      text.withUTF8 { bytes in
        let bytes = UnsafeRawBufferPointer(bytes)
        let place = unsafe texts.append(bytes)
        stored.append(StoredIdentifier(high: 0, low: place.rawValue), at: row)
        unsafe index.insert(hash: KeyHash.hash(bytes), row: row)
      }
    }
  }

  /// Gives `row` its identifier without the index, for `fillIndex` to follow. Writer only.
  @inline(__always)
  func appendStored(_ identifier: Identifier, at row: RowIndex) {
    switch identifier {
    case .uuid(let high, let low): stored.append(StoredIdentifier(high: high, low: low), at: row)
    case .custom(let text): stored.append(storedText(text), at: row)
    }
  }

  /// The same for a UUID.
  @inline(__always)
  func appendStored(_ identifier: StoredIdentifier, at row: RowIndex) { stored.append(identifier, at: row) }

  private func storedText(_ text: String) -> StoredIdentifier {
    var text = text
    return text.withUTF8 { bytes in
      StoredIdentifier(high: 0, low: unsafe texts.append(UnsafeRawBufferPointer(bytes)).rawValue)
    }
  }

  /// Puts rows that `appendStored` made into the index, while no other thread uses it.
  /// - Returns: the first row whose identifier another has already, nil when there is none.
  func fillIndex(_ rows: Range<Int>) -> Int? {
    let place = index.fill(from: RowIndex(rows.lowerBound), count: rows.count) { place in
      let identifier = stored[RowIndex(rows.lowerBound + place)]
      if identifier.isUUID { return KeyHash.hash(identifier.high, identifier.low) }
      return unsafe KeyHash.hash(texts.bytes(HeapOffset(identifier.low)))
    } isSame: { row, place in
      let identifier = stored[RowIndex(rows.lowerBound + place)]
      if identifier.isUUID { return isStored(row, identifier.high, identifier.low) }
      return unsafe isStored(row, texts.bytes(HeapOffset(identifier.low)))
    }
    return place.map { rows.lowerBound + $0 }
  }

  /// The row with that identifier. O(1) expected.
  package func row(of identifier: Identifier) -> RowIndex? {
    switch identifier {
    case .uuid(let high, let low):
      return index.row(hash: KeyHash.hash(high, low)) { isStored($0, high, low) }
    case .custom(var text):
      return text.withUTF8 { bytes in
        let bytes = UnsafeRawBufferPointer(bytes)
        return unsafe index.row(hash: KeyHash.hash(bytes)) { unsafe isStored($0, bytes) }
      }
    }
  }

  /// The same for the writer, who needs no lock.
  func writerRow(of identifier: Identifier) -> RowIndex? {
    writerRow(of: identifier, hash: Self.hash(identifier))
  }

  func writerRow(of identifier: Identifier, hash: UInt64) -> RowIndex? {
    switch identifier {
    case .uuid(let high, let low):
      return index.writerRow(hash: hash) { isStored($0, high, low) }
    case .custom(var text):
      return text.withUTF8 { bytes in
        let bytes = UnsafeRawBufferPointer(bytes)
        return index.writerRow(hash: hash) { unsafe isStored($0, bytes) }
      }
    }
  }

  /// Hash of an identifier in the index.
  static func hash(_ identifier: Identifier) -> UInt64 {
    switch identifier {
    case .uuid(let high, let low): return KeyHash.hash(high, low)
    case .custom(var text):
      return text.withUTF8 { unsafe KeyHash.hash(UnsafeRawBufferPointer($0)) }
    }
  }

  /// Asks for the index's slot of a hash. Writer only.
  func prefetch(hash: UInt64) { index.prefetch(hash: hash) }

  /// The row that most likely has that hash; asks for its identifier. Writer only.
  func likelyRow(hash: UInt64) -> RowIndex? {
    guard let row = index.likelyRow(hash: hash) else { return nil }
    stored.prefetch(row)
    return row
  }

  private func isStored(_ row: RowIndex, _ high: UInt64, _ low: UInt64) -> Bool {
    let candidate = stored[row]
    return candidate.high == high && candidate.low == low
  }

  private func isStored(_ row: RowIndex, _ text: UnsafeRawBufferPointer) -> Bool {
    let candidate = stored[row]
    return unsafe !candidate.isUUID && textsAreEqual(texts.bytes(HeapOffset(candidate.low)), text)
  }

  /// The identifier of a row that exists.
  package subscript(row: RowIndex) -> Identifier {
    let identifier = stored[row]
    if identifier.isUUID { return .uuid(high: identifier.high, low: identifier.low) }
    return .custom(unsafe String(decoding: texts.bytes(HeapOffset(identifier.low)), as: UTF8.self))
  }

  /// The stored form: equal forms are equal identifiers, and UUIDs compare as their texts do.
  @inlinable package func storedIdentifier(_ row: RowIndex) -> StoredIdentifier { storedValue(row) }

  @usableFromInline func storedValue(_ row: RowIndex) -> StoredIdentifier { stored[row] }

  /// The stored forms of rows from `first` on, which lie in one segment (every stripe does).
  package func storedIdentifiers(
    from first: RowIndex, count rowCount: Int
  ) -> UnsafeBufferPointer<StoredIdentifier> {
    unsafe stored.values(from: first, count: rowCount)
  }

  /// Whether the text of `left`'s identifier sorts before that of `right`.
  package func precedes(_ left: RowIndex, _ right: RowIndex) -> Bool {
    let first = stored[left]
    let second = stored[right]
    if first.isUUID && second.isUUID { return (first.high, first.low) < (second.high, second.low) }
    return self[left].text(kind: kind).utf8.lexicographicallyPrecedes(self[right].text(kind: kind).utf8)
  }
}

// Dictionary encoding: distinct texts and the small codes that stand for them.

import Platform
import Synchronization

/// A code of a `TextDictionary`; 0 is the code of the absent value.
package typealias TextCode = UInt32

/// Distinct texts, numbered from 1 in order of first use; nothing is ever removed. One writer adds; any
/// thread reads the text of a code that it learned through a lock or a cut, and looks up codes.
@safe @usableFromInline package final class TextDictionary: Sendable {
  private let heap = TextHeap()
  private let offsets = SegmentedColumn<HeapOffset>()
  private let index = StripedIndex()
  private let counter = Atomic<UInt32>(0)

  package init() {
    offsets.append(.none, at: RowIndex(0 as UInt32))
  }

  /// Number of distinct texts; the codes are 1 to this, and their texts can be read. Any thread.
  package var count: Int { Int(counter.load(ordering: .acquiring)) }

  /// Bytes of the texts and the index.
  package var byteCount: Int { heap.byteCount + index.byteCount + count * 8 }

  /// The code of a text, if it has one. O(bytes).
  package func code(of text: UnsafeRawBufferPointer) -> TextCode? {
    unsafe code(of: text, hash: KeyHash.hash(text))
  }

  private func code(of text: UnsafeRawBufferPointer, hash: UInt64) -> TextCode? {
    index.row(hash: hash) { row in unsafe textsAreEqual(bytes(of: row.rawValue), text) }?.rawValue
  }

  package func code(of text: String) -> TextCode? {
    var text = text
    return text.withUTF8 { unsafe code(of: UnsafeRawBufferPointer($0)) }
  }

  /// The code of a text, new if need be. Writer only. O(bytes).
  package func intern(_ text: UnsafeRawBufferPointer) -> TextCode {
    let hash = unsafe KeyHash.hash(text)
    if let code = unsafe code(of: text, hash: hash) { return code }
    let code = counter.load(ordering: .relaxed) + 1
    let row = RowIndex(code)
    if code & (1 << 16 - 1) == 0 { offsets.reserve(row) }
    offsets[row] = unsafe heap.append(text)
    counter.store(code, ordering: .releasing)
    index.insert(hash: hash, row: row)
    return code
  }

  package func intern(_ text: String) -> TextCode {
    var text = text
    return text.withUTF8 { unsafe intern(UnsafeRawBufferPointer($0)) }
  }

  /// The UTF-8 bytes of a code's text, valid while the dictionary lives. O(1).
  package func bytes(of code: TextCode) -> UnsafeRawBufferPointer {
    precondition(code != 0, "the absent value has no text")
    return unsafe heap.bytes(offsets[RowIndex(code)])
  }

  /// Whether a code stands for that text. O(bytes).
  package func isText(of code: TextCode, _ text: String) -> Bool {
    if code == 0 { return false }
    var text = text
    return text.withUTF8 { unsafe textsAreEqual(bytes(of: code), UnsafeRawBufferPointer($0)) }
  }

  /// The text of a code, nil for the absent value.
  package func text(of code: TextCode) -> String? {
    code == 0 ? nil : unsafe String(decoding: bytes(of: code), as: UTF8.self)
  }
}

/// Byte-wise equality. O(bytes).
package func textsAreEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
  unsafe bytesAreEqual(left, right)
}

// Texts of the books, written into an answer from where they are kept.

import Columns
import Ledger

extension JSONWriter {
  /// Appends the text of a code, or `null` for the absent value. O(bytes).
  @inline(__always)
  mutating func text(_ code: TextCode, of dictionary: TextDictionary) {
    if code == 0 { return null() }
    let bytes = unsafe dictionary.bytes(of: code)
    unsafe string(Span(_unsafeElements: bytes.assumingMemoryBound(to: UInt8.self)))
  }

  /// Appends the identifier of a row.
  @inline(__always)
  mutating func identifier(_ row: RowIndex, of column: IdentifierColumn) {
    let stored = column.storedIdentifier(row)
    if stored.isUUID {
      identifier(column.kind.prefix, high: stored.high, low: stored.low)
    } else {
      string(column[row].text(kind: column.kind))
    }
  }

  /// Appends metadata as it is kept, `{}` when there is none.
  @inline(__always)
  mutating func metadata(_ kept: [UInt8]) { metadata(kept.span) }

  /// The same for bytes that lie somewhere.
  @inline(__always)
  mutating func metadata(_ kept: Span<UInt8>) {
    if kept.isEmpty {
      separate(2)
      raw("{}")
    } else {
      value(kept)
    }
  }
}

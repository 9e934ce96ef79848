// One number for the whole state, to prove that two sets of books are the same.

import Amounts
import Columns
import Platform

extension Cut {
  /// XXH3 over every column of every row, in row order: equal for equal books, however they came about and
  /// wherever they lie in memory. O(all bytes).
  package func digest() -> UInt64 {
    var digest = StateDigest()
    digest.add(position)
    digest.add(UInt64(bitPattern: lastInstant.count))
    digest.add(balancesLieInTimeOrder ? 1 : 0)
    for count in [ledgerCount, identityCount, balanceCount, transactionCount, keys.count] {
      digest.add(UInt64(count))
    }
    addEntities(books.ledgers, .ledger, ledgerCount, &digest)
    addEntities(books.identities, .identity, identityCount, &digest)
    addBalances(&digest)
    addTransactions(&digest)
    unsafe keys.forEachRecord { unsafe digest.add(bytes: $0) }
    return digest.finish()
  }

  private func addEntities(
    _ table: EntityTable, _ kind: EntityKind, _ count: Int, _ digest: inout StateDigest
  ) {
    for index in 0..<count {
      let row = RowIndex(index)
      digest.add(text: table.identifiers[row].text(kind: kind))
      digest.add(UInt64(bitPattern: table.createdAt[row]))
      if let record = unsafe table.record(row, cut: epoch) {
        unsafe digest.add(bytes: record)
      } else {
        digest.add(.max)
      }
    }
  }

  private func addBalances(_ digest: inout StateDigest) {
    let table = books.balances
    // Codes are numbers of this memory only if the texts come in the same order: so the texts count.
    let currencies = Self.textDigests(books.currencies, count: currencyCount)
    let indicators = Self.textDigests(books.indicators, count: indicatorCount)
    for index in 0..<balanceCount {
      let row = RowIndex(index)
      digest.add(table.identifiers[row])
      digest.add(UInt64(table.ledgers[row]))
      digest.add(currencies[Int(table.currencies[row])])
      digest.add(indicators[Int(table.indicators[row])])
      digest.add(UInt64(bitPattern: table.createdAt[row]))
      digest.add(UInt64(bitPattern: table.multipliers[row]))
      digest.add(UInt64(table.flags[row]))
      let image = balance(row)
      for amount in [image.credit, image.debit, image.balance, image.inflightCredit, image.inflightDebit] {
        digest.add(amount)
      }
      digest.add(UInt64(image.version))
      digest.add(image.identity.map { UInt64($0.rawValue) } ?? .max)
      unsafe image.metadata.withUnsafeBytes { unsafe digest.add(bytes: $0) }
    }
  }

  private func addTransactions(_ digest: inout StateDigest) {
    let table = books.transactions
    for index in 0..<transactionCount {
      let row = RowIndex(index)
      digest.add(table.identifiers[row])
      digest.add(UInt64(table.sources[row]) << 32 | UInt64(table.destinations[row]))
      digest.add(UInt64(table.previousOfSource[row]) << 32 | UInt64(table.previousOfDestination[row]))
      digest.add(table.amount(row))
      digest.add(UInt64(bitPattern: table.precisions[row]))
      digest.add(UInt64(bitPattern: table.createdAt[row]))
      digest.add(table.positions[row])
      digest.add(UInt64(table.flags[row]))
      unsafe digest.add(bytes: table.detailBytes(row))
      unsafe table.metadataBytes(row, cut: epoch).withUnsafeBytes { unsafe digest.add(bytes: $0) }
    }
  }

  private static func textDigests(_ dictionary: TextDictionary, count: Int) -> [UInt64] {
    [0] + (0..<count).map { unsafe Checksum.xxh3(dictionary.bytes(of: TextCode($0 + 1))) }
  }
}

/// A running XXH3 of values.
private struct StateDigest {
  private static let flushByteCount = 1 << 16
  private var buffer: [UInt8] = []
  private var value: UInt64 = 0

  init() { buffer.reserveCapacity(Self.flushByteCount * 2) }

  mutating func add(_ word: UInt64) {
    unsafe withUnsafeBytes(of: word.littleEndian) { unsafe buffer.append(contentsOf: $0) }
    flushIfFull()
  }

  mutating func add(_ amount: Amount) {
    if let narrow = amount.int64 {
      add(UInt64(bitPattern: narrow))
    } else {
      amount.appendBytes(to: &buffer)
      flushIfFull()
    }
  }

  mutating func add(_ identifier: Identifier) {
    switch identifier {
    case .uuid(let high, let low):
      add(high)
      add(low)
    case .custom(let text): add(text: text)
    }
  }

  mutating func add(text: String) {
    var text = text
    text.withUTF8 { unsafe add(bytes: UnsafeRawBufferPointer($0)) }
  }

  mutating func add(bytes: UnsafeRawBufferPointer) {
    add(UInt64(bytes.count))
    unsafe buffer.append(contentsOf: bytes)
    flushIfFull()
  }

  private mutating func flushIfFull() {
    if buffer.count >= Self.flushByteCount { flush() }
  }

  private mutating func flush() {
    value = Checksum.xxh3(buffer, seed: value)
    buffer.removeAll(keepingCapacity: true)
  }

  mutating func finish() -> UInt64 {
    flush()
    return value
  }
}

// Applies the facts of a journal to books, in order and many at a time.

import Amounts
import Columns
import Platform

/// Brings books forward by records that were made by other books: restored ones, or empty ones. It decides
/// nothing and trusts nothing. One thread, and nobody else writes meanwhile; readers see what is applied at
/// the end of each call.
///
/// After a fault the books hold the facts before it.
@safe package struct FactReplayer: ~Copyable {
  /// Records that are read before the first of them is applied: what they need of the tables is on its way
  /// meanwhile.
  private static let window = 16

  /// A record that was read and not applied.
  @safe private struct Prepared {
    var type: FactType
    var position: UInt64
    var endsUnit: Bool
    var payload: UnsafeRawBufferPointer
    /// Of a transaction's identifier and reference.
    var identifierHash: UInt64
    var referenceHash: UInt64
  }

  private let books: Books
  private let prepared: UnsafeMutablePointer<Prepared>
  /// By place in the window; only those of transactions are set.
  private let transactions: UnsafeMutablePointer<TransactionRecord>
  /// Whether the last fact applied was the last of its command.
  package private(set) var isAtUnitEnd = true

  /// - Parameter books: without a log; nobody carries out commands on them until the replay is over.
  package init(_ books: Books) {
    self.books = books
    unsafe prepared = .allocate(capacity: Self.window)
    unsafe transactions = .allocate(capacity: Self.window)
    books.expectNoLog()
  }

  deinit {
    unsafe prepared.deallocate()
    unsafe transactions.deallocate()
  }

  /// Applies whole records that follow the books' position.
  /// - Parameter records: one after the other, without gaps; checksums are not looked at.
  /// - Throws: what is wrong with the first bad fact; those before it are applied.
  /// - Complexity: O(bytes), about 0.6 µs for a transaction.
  package mutating func apply(_ records: UnsafeRawBufferPointer) throws(ReplayFault) {
    var offset = 0
    defer { books.publish() }
    while offset < records.count {
      var count = 0
      var fault: RecordFault?
      while count < Self.window, offset < records.count {
        do throws(RecordFault) {
          offset += unsafe try prepare(UnsafeRawBufferPointer(rebasing: records[offset...]), count)
          count += 1
        } catch {
          fault = error
          break
        }
      }
      for place in 0..<count {
        do throws(ReplayFault.Reason) {
          try applyPrepared(place)
        } catch {
          throw ReplayFault(position: books.nextReplayPosition, reason: error)
        }
      }
      if let fault { throw ReplayFault(position: books.nextReplayPosition, reason: .record(fault)) }
    }
  }

  /// Reads the record that `bytes` begin with and asks for the memory that it will need.
  /// - Returns: bytes of the record.
  private func prepare(_ bytes: UnsafeRawBufferPointer, _ place: Int) throws(RecordFault) -> Int {
    let head = unsafe try RecordHead(bytes)
    if head.recordByteCount > bytes.count { throw .truncated }
    guard let type = head.knownType else { throw .newer(type: head.type, version: head.version) }
    let payload = unsafe UnsafeRawBufferPointer(
      rebasing: bytes[RecordHead.byteCount..<head.recordByteCount])
    var next = unsafe Prepared(
      type: type, position: head.position, endsUnit: head.endsUnit, payload: payload, identifierHash: 0,
      referenceHash: 0)
    switch type {
    case .transactionPosted:
      let record = unsafe try TransactionRecord(payload)
      next.identifierHash = record.identifier.hash
      next.referenceHash = unsafe KeyHash.hash(TransactionDetail.referenceBytes(record.detail))
      unsafe (transactions + place).initialize(to: record)
      books.prefetchReplay(
        record, identifierHash: next.identifierHash, referenceHash: next.referenceHash)
    case .balanceCreated: unsafe books.prefetchReplay(balance: payload)
    case .ledgerCreated, .ledgerUpdated, .identityCreated, .identityUpdated, .identityDeleted,
      .balanceIdentityChanged, .metadataChanged, .keyRemembered:
      break
    }
    unsafe (prepared + place).initialize(to: next)
    return head.recordByteCount
  }

  private mutating func applyPrepared(_ place: Int) throws(ReplayFault.Reason) {
    let next = unsafe prepared[place]
    if next.position != books.nextReplayPosition {
      throw .position(found: next.position)
    }
    if next.type == .transactionPosted {
      unsafe try books.replay(
        transactions[place], identifierHash: next.identifierHash, referenceHash: next.referenceHash)
    } else {
      let fact: Fact
      do throws(RecordFault) {
        unsafe fact = try Fact(next.payload, next.type)
      } catch {
        throw .record(error)
      }
      try books.replay(fact)
    }
    isAtUnitEnd = next.endsUnit
  }
}

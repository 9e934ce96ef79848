// A transaction that is asked for, read where it lies.

import Amounts
import Columns
import Platform

/// Stands for a `NewTransaction` in memory that is held while a command is carried out. Passing a
/// `NewTransaction` on, or taking one out of an array, copies a dozen members with their reference counts: a
/// sixth of what a posting costs. Reading a member here copies that member.
@safe struct AskedTransaction {
  private let place: UnsafePointer<NewTransaction>

  /// - Parameter place: of a transaction that stays there, unchanged, for as long as this value is used.
  @inline(__always)
  init(at place: UnsafePointer<NewTransaction>) { unsafe self.place = unsafe place }

  /// Runs `body` with the transactions of an array, none of them copied.
  @inline(__always)
  static func withAll<Result, Failure: Error>(
    of items: [NewTransaction], _ body: (AskedTransactions) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe items.withUnsafeBufferPointer { (buffer) throws(Failure) in
      try body(unsafe AskedTransactions(buffer))
    }
  }

  @inline(__always) var identifier: Identifier? { unsafe place.pointee.identifier }
  @inline(__always) var source: Party { unsafe place.pointee.source }
  @inline(__always) var destination: Party { unsafe place.pointee.destination }
  @inline(__always) var amount: Amount { unsafe place.pointee.amount }
  @inline(__always) var precision: Int64 { unsafe place.pointee.precision }
  @inline(__always) var currency: String { unsafe place.pointee.currency }
  @inline(__always) var reference: String { unsafe place.pointee.reference }
  @inline(__always) var description: String? { unsafe place.pointee.description }
  @inline(__always) var allowOverdraft: Bool { unsafe place.pointee.allowOverdraft }
  @inline(__always) var overdraftLimit: Amount? { unsafe place.pointee.overdraftLimit }
  @inline(__always) var effectiveDate: Microseconds? { unsafe place.pointee.effectiveDate }
  @inline(__always) var metadata: [UInt8] { unsafe place.pointee.metadata }
}

/// The transactions of a batch, read where they lie.
@safe struct AskedTransactions {
  private let first: UnsafePointer<NewTransaction>?
  let count: Int

  @inline(__always)
  fileprivate init(_ buffer: UnsafeBufferPointer<NewTransaction>) {
    unsafe first = buffer.baseAddress
    count = buffer.count
  }

  /// No transactions.
  @inline(__always)
  init() {
    unsafe first = nil
    count = 0
  }

  @inline(__always)
  subscript(index: Int) -> AskedTransaction {
    precondition(index >= 0 && index < count, "an item of the batch")
    return unsafe AskedTransaction(at: first.unsafelyUnwrapped + index)
  }
}

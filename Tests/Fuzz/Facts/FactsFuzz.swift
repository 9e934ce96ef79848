// Fuzz target: any payloads, in records that follow sound books, are applied or refused.

import Amounts
import Ledger
import Platform

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@_cdecl("FuzzFacts_main")
func main(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
  var count = count
  var arguments = unsafe arguments
  return unsafe runDriver(&count, &arguments) { bytes, byteCount in
    unsafe replay(Array(UnsafeBufferPointer(start: bytes, count: byteCount)))
    return 0
  }
}

private let clock = ManualClock()
private let sound = Result { try soundRecords() }

/// Input: for each record a byte that is its type, two with the number of payload bytes, the payload. What is
/// left over at the end is taken as it is, head and all.
private func replay(_ input: [UInt8]) {
  guard case .success(let sound) = sound else { preconditionFailure("the sound books were made") }
  var rest = input[...]
  var records = sound.bytes
  var position = sound.position
  while rest.count > 3 {
    let (type, byteCount) = (
      rest[rest.startIndex], Int(rest[rest.startIndex + 1]) | Int(rest[rest.startIndex + 2]) << 8
    )
    if byteCount > rest.count - 3 { break }
    position += 1
    let payload = rest.dropFirst(3).prefix(byteCount)
    records += record(type: type, position: position, payload)
    rest = rest.dropFirst(3 + byteCount)
  }
  records += rest
  let books = Books(emptyWith: clock, seed: (1, 1))
  var replayer = FactReplayer(books)
  do throws(ReplayFault) {
    try unsafe records.span.withUnsafeBytes { (bytes) throws(ReplayFault) in unsafe try replayer.apply(bytes)
    }
  } catch {
    precondition(error.position == books.position + 1, "a fault names the fact after the last sound one")
  }
  precondition(books.position >= sound.position, "sound facts are applied")
  let cut = books.cut()
  precondition(books.checkInvariants(on: cut).isEmpty, "whatever is applied keeps the books in order")
}

private func record(type: UInt8, position: UInt64, _ payload: ArraySlice<UInt8>) -> [UInt8] {
  let byteCount = UInt32(RecordHead.byteCount + payload.count)
  var bytes = (0..<4).map { UInt8(truncatingIfNeeded: byteCount >> (8 * UInt32($0))) }
  bytes += [type, FactType.version, 1, 0]
  bytes += (0..<8).map { UInt8(truncatingIfNeeded: position >> (8 * UInt64($0))) }
  return bytes + [UInt8](repeating: 0, count: 8) + payload
}

/// A few rows of each table, as records.
private func soundRecords() throws -> (bytes: [UInt8], position: UInt64) {
  let log = FactLog()
  let books = Books(clock: clock, seed: (1, 1), log: log)
  let fields = IdentityField.allCases.map { _ in String?.some("text") }
  _ = try books.execute(.createIdentity(NewIdentity(identifier: .custom("idt_a"), fields: fields)))
  _ = try books.execute(
    .createBalance(
      NewBalance(
        identifier: .custom("bln_a"), ledger: .generalLedger, currency: "USD", identity: .custom("idt_a"))))
  _ = try books.execute(
    .postTransaction(
      NewTransaction(
        source: .indicator("@w"), destination: .balance(.custom("bln_a")), amount: Amount(Int64(1000)),
        currency: "USD", reference: "first", allowOverdraft: true)),
    key: IdempotencyKey(text: "key", contentDigest: 1))
  var bytes = [UInt8](repeating: 0, count: log.pendingByteCount)
  _ = unsafe bytes.withUnsafeMutableBytes { unsafe log.drain(into: $0) }
  return (bytes, books.position)
}

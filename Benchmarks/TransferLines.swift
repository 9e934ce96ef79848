// Requests made beforehand, byte by byte: making them must cost the client nothing while it measures.

import Platform

/// Makes lines that move money between balances with the identifiers of `SocketBenchmark.balance`.
struct TransferLines {
  let balanceCount: Int
  private var random = UInt64(88_172_645_463_325_252)
  private var serial = 0

  init(balanceCount: Int) { self.balanceCount = balanceCount }

  /// One `transactions.create`.
  mutating func single() -> [UInt8] {
    var line: [UInt8] = []
    line.reserveCapacity(320)
    append(#"{"id":1,"method":"transactions.create","params":"#, to: &line)
    appendTransfer(to: &line)
    append("}\n", to: &line)
    return line
  }

  /// One atomic `transactions.create_many` that answers with the outcome alone.
  mutating func batch(of size: Int) -> [UInt8] {
    var line: [UInt8] = []
    line.reserveCapacity(size * 240)
    append(
      #"{"id":1,"method":"transactions.create_many","params":{"atomic":true,"return":"none","transactions":["#,
      to: &line)
    for place in 0..<size {
      if place > 0 { line.append(UInt8(ascii: ",")) }
      appendTransfer(to: &line)
    }
    append("]}}\n", to: &line)
    return line
  }

  /// Amounts and references are all different.
  private mutating func appendTransfer(to line: inout [UInt8]) {
    serial += 1
    let source = next(balanceCount)
    let destination = (source + 1 + next(balanceCount - 1)) % balanceCount
    append(#"{"source":"bln_01890000-0000-7000-8000-"#, to: &line)
    appendHexadecimal(source, to: &line)
    append(#"","destination":"bln_01890000-0000-7000-8000-"#, to: &line)
    appendHexadecimal(destination, to: &line)
    append(#"","currency":"USD","precise_amount":""#, to: &line)
    appendDecimal(serial % 1000 + 1, to: &line)
    append(#"","reference":"payment-"#, to: &line)
    appendDecimal(serial, to: &line)
    append(#"","allow_overdraft":true}"#, to: &line)
  }

  private mutating func next(_ limit: Int) -> Int {
    random ^= random << 13
    random ^= random >> 7
    random ^= random << 17
    return Int(random % UInt64(limit))
  }

  private func append(_ text: String, to line: inout [UInt8]) { line.append(contentsOf: text.utf8) }

  private func appendHexadecimal(_ value: Int, to line: inout [UInt8]) {
    for place in (0..<12).reversed() {
      let digit = UInt8(value >> (place * 4) & 15)
      line.append(digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10))
    }
  }

  private func appendDecimal(_ value: Int, to line: inout [UInt8]) {
    if value >= 10 { appendDecimal(value / 10, to: &line) }
    line.append(UInt8(ascii: "0") + UInt8(value % 10))
  }
}

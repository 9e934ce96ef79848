// The demo's books: which ledgers, identities, balances and transfers there are, all from a seed.

/// A number that follows from a seed and a place (SplitMix64's output function).
package func scrambled(_ value: UInt64) -> UInt64 {
  var mixed = value &+ 0x9e37_79b9_7f4a_7c15
  mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
  mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
  return mixed ^ (mixed >> 31)
}

/// Deterministic books of any size. Every property of a row is computed from its number; nothing is stored
/// but the rows of each currency.
package struct DemoBooks: Sendable {
  package static let currencies = [
    "USD", "EUR", "GBP", "NGN", "JPY", "KES", "INR", "BRL", "GHS", "ZAR", "XAF", "BTC",
  ]
  package static let ledgerCount = 100
  /// Of so many balances one stands in the general ledger under an indicator.
  package static let indicatorEvery = 20
  package static let generalLedger = "general_ledger_id"
  private static let seed: UInt64 = 0x1ed9_e711
  /// 2022-01-01T00:00:00Z in milliseconds, and three years.
  private static let firstMillisecond = 1_640_995_200_000
  private static let spanMilliseconds = 94_694_400_000

  package let balanceCount: Int
  package let identityCount: Int
  package let transferCount: Int
  private let ledgerBounds: [UInt64]
  private let currencyBounds: [UInt64]
  /// Rows by currency, so that a transfer finds a partner.
  private let rowsByCurrency: [[Int32]]

  package init(balanceCount: Int, transferCount: Int) {
    self.balanceCount = balanceCount
    self.transferCount = transferCount
    identityCount = max(1, balanceCount / 4)
    ledgerBounds = Self.zipfBounds(Self.ledgerCount)
    currencyBounds = Self.zipfBounds(Self.currencies.count)
    var rows = [[Int32]](repeating: [], count: Self.currencies.count)
    for row in 0..<balanceCount { rows[Self.place(Self.number(row, 1), currencyBounds)].append(Int32(row)) }
    rowsByCurrency = rows
  }

  /// Upper bounds of each rank's share of all 64-bit numbers, shares falling as 1/rank.
  private static func zipfBounds(_ count: Int) -> [UInt64] {
    let total = (1...count).reduce(0.0) { $0 + 1 / Double($1) }
    var sum = 0.0
    return (1...count).map { rank in
      sum += 1 / Double(rank)
      return rank == count ? .max : UInt64(sum / total * 0x1p63) << 1
    }
  }

  private static func place(_ number: UInt64, _ bounds: [UInt64]) -> Int {
    bounds.firstIndex { number <= $0 } ?? bounds.count - 1
  }

  private static func number(_ row: Int, _ property: UInt64) -> UInt64 {
    scrambled(seed ^ UInt64(row) << 8 ^ property)
  }

  // MARK: Properties of a row

  package func currency(of row: Int) -> Int { Self.place(Self.number(row, 1), currencyBounds) }

  package func hasIndicator(_ row: Int) -> Bool { row % Self.indicatorEvery == 7 }

  /// Of a row that has one.
  package static func indicator(of row: Int) -> String { "@user\(row)@example.com" }

  package func ledger(of row: Int) -> Int { Self.place(Self.number(row, 2), ledgerBounds) }

  package func identity(of row: Int) -> Int { Int(Self.number(row, 3) % UInt64(identityCount)) }

  /// Milliseconds since 1970, whole seconds: rising with the row, over three years.
  package func createdAt(_ row: Int) -> Int {
    let part = Double(row) / Double(max(1, balanceCount)) * Double(Self.spanMilliseconds)
    return Self.firstMillisecond + Int(part) / 1000 * 1000
  }

  package func balanceID(_ row: Int) -> String {
    Self.identifier("bln_", milliseconds: createdAt(row), Self.number(row, 4))
  }

  package func ledgerID(_ ledger: Int) -> String {
    Self.identifier(
      "ldg_", milliseconds: Self.firstMillisecond - 1000 + ledger, scrambled(UInt64(ledger) &+ 77))
  }

  package func identityID(_ identity: Int) -> String {
    Self.identifier("idt_", milliseconds: Self.firstMillisecond - 500, scrambled(UInt64(identity) &+ 777_777))
  }

  package static func ledgerName(_ ledger: Int) -> String {
    let kinds = ["Customer accounts", "Savings", "Wallets", "Merchants", "Cards", "Loans", "Fees", "Escrow"]
    return kinds[ledger % kinds.count] + " \(ledger / kinds.count + 1)"
  }

  /// First and last name.
  package static func personName(_ identity: Int) -> (first: String, last: String) {
    let first = ["Ada", "Kofi", "Mei", "Ravi", "Lucía", "Tunde", "Yuki", "Zola"][identity % 8]
    let last = ["Okafor", "Mensah", "Chen", "Patel", "Silva", "Adeyemi", "Tanaka", "Dlamini"][
      identity / 8 % 8]
    return (first, last)
  }

  /// A prefix and a UUID of version 7 made of a time and a number.
  package static func identifier(_ prefix: String, milliseconds: Int, _ number: UInt64) -> String {
    let other = scrambled(number)
    var text = Array(prefix.utf8)
    text.reserveCapacity(prefix.utf8.count + 36)
    func hexadecimal(_ value: UInt64, digits: Int) {
      for shift in stride(from: 4 * (digits - 1), through: 0, by: -4) {
        let digit = UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 15
        text.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
      }
    }
    let dash = UInt8(ascii: "-")
    hexadecimal(UInt64(milliseconds) >> 16, digits: 8)
    text.append(dash)
    hexadecimal(UInt64(milliseconds) & 0xffff, digits: 4)
    text.append(dash)
    hexadecimal(0x7000 | number & 0xfff, digits: 4)
    text.append(dash)
    hexadecimal(0x8000 | number >> 16 & 0x3fff, digits: 4)
    text.append(dash)
    hexadecimal(other & 0xffff_ffff_ffff, digits: 12)
    return String(decoding: text, as: UTF8.self)
  }

  // MARK: Transfers

  /// A transfer between rows.
  package struct Movement: Equatable, Sendable {
    /// Nil for the world, an indicator that may be overdrawn.
    package let source: Int?
    package let destination: Int
    package let currency: Int
    /// Minor units.
    package let amount: Int128
  }

  /// A transfer as a client names it.
  package struct Transfer: Equatable, Sendable {
    package let source: String
    package let destination: String
    package let currency: String
    /// Minor units.
    package let amount: Int128
    package let allowsOverdraft: Bool
  }

  /// What the world is called.
  package static let world = "@world"

  /// Transfer number `index`: even ones come from the world; odd ones pass a part of what the one before
  /// brought on to another balance, so that none is refused.
  package func movement(_ index: Int) -> Movement {
    let pair = Self.seed &+ UInt64(index / 2) &* 31
    let first = Int(scrambled(pair &+ 5) % UInt64(balanceCount))
    let currency = currency(of: first)
    let brought = Self.amount(scrambled(pair &+ 6))
    let rows = rowsByCurrency[currency]
    let number = scrambled(pair &+ 7)
    let second = Int(rows[Int(number % UInt64(rows.count))])
    if index % 2 == 0 || second == first {
      return Movement(source: nil, destination: first, currency: currency, amount: brought)
    }
    return Movement(
      source: first, destination: second, currency: currency, amount: brought / Int128(2 + number >> 60))
  }

  /// Transfer number `index`, with identifiers.
  package func transfer(_ index: Int) -> Transfer {
    let movement = movement(index)
    return Transfer(
      source: movement.source.map(balanceID) ?? Self.world, destination: balanceID(movement.destination),
      currency: Self.currencies[movement.currency], amount: movement.amount,
      allowsOverdraft: movement.source == nil)
  }

  /// 10^2 to 10^9 mostly, every thousandth 10^24 to 10^30: as many of each length.
  private static func amount(_ number: UInt64) -> Int128 {
    let isBig = number % 1000 == 0
    let digits = isBig ? 24 + Int(number >> 32) % 6 : 2 + Int(number >> 32) % 7
    var power: Int128 = 1
    for _ in 0..<digits { power *= 10 }
    return power + (Int128(scrambled(number)) << 48 | Int128(number >> 16)) % (power * 9)
  }
}

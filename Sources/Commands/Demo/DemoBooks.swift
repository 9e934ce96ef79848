// The demo's books: which ledgers, identities, balances and transfers there are, all from a seed.

/// A number that follows from a seed and a place (SplitMix64's output function).
func scrambled(_ value: UInt64) -> UInt64 {
  var mixed = value &+ 0x9e37_79b9_7f4a_7c15
  mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
  mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
  return mixed ^ (mixed >> 31)
}

/// Deterministic books of any size. Every property of a row is computed from its number; nothing is stored
/// but the rows of each currency.
struct DemoBooks: Sendable {
  static let currencies = [
    "USD", "EUR", "GBP", "NGN", "JPY", "KES", "INR", "BRL", "GHS", "ZAR", "XAF", "BTC",
  ]
  static let ledgerCount = 100
  /// Of so many balances one stands in the general ledger under an indicator.
  static let indicatorEvery = 20
  static let generalLedger = "general_ledger_id"
  private static let seed: UInt64 = 0x1ed9_e711
  /// 2022-01-01T00:00:00Z in milliseconds, and three years.
  private static let firstMillisecond = 1_640_995_200_000
  private static let spanMilliseconds = 94_694_400_000

  let balanceCount: Int
  let identityCount: Int
  let transferCount: Int
  private let ledgerBounds: [UInt64]
  private let currencyBounds: [UInt64]
  /// Rows by currency, so that a transfer finds a partner.
  private let rowsByCurrency: [[Int32]]

  init(balanceCount: Int, transferCount: Int) {
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

  func currency(of row: Int) -> Int { Self.place(Self.number(row, 1), currencyBounds) }

  func hasIndicator(_ row: Int) -> Bool { row % Self.indicatorEvery == 7 }

  func ledger(of row: Int) -> Int { Self.place(Self.number(row, 2), ledgerBounds) }

  func identity(of row: Int) -> Int { Int(Self.number(row, 3) % UInt64(identityCount)) }

  /// Milliseconds since 1970, whole seconds: rising with the row, over three years.
  func createdAt(_ row: Int) -> Int {
    let part = Double(row) / Double(max(1, balanceCount)) * Double(Self.spanMilliseconds)
    return Self.firstMillisecond + Int(part) / 1000 * 1000
  }

  func balanceID(_ row: Int) -> String {
    Self.identifier("bln_", milliseconds: createdAt(row), Self.number(row, 4))
  }

  func ledgerID(_ ledger: Int) -> String {
    Self.identifier(
      "ldg_", milliseconds: Self.firstMillisecond - 1000 + ledger, scrambled(UInt64(ledger) &+ 77))
  }

  func identityID(_ identity: Int) -> String {
    Self.identifier("idt_", milliseconds: Self.firstMillisecond - 500, scrambled(UInt64(identity) &+ 777_777))
  }

  static func ledgerName(_ ledger: Int) -> String {
    let kinds = ["Customer accounts", "Savings", "Wallets", "Merchants", "Cards", "Loans", "Fees", "Escrow"]
    return kinds[ledger % kinds.count] + " \(ledger / kinds.count + 1)"
  }

  /// A prefix and a UUID of version 7 made of a time and a number.
  static func identifier(_ prefix: String, milliseconds: Int, _ number: UInt64) -> String {
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

  struct Transfer: Equatable {
    let source: String
    let destination: String
    let currency: String
    /// Minor units.
    let amount: Int128
    let allowsOverdraft: Bool
  }

  /// Transfer number `index`: even ones come from the world, an indicator that may be overdrawn; odd ones
  /// pass a part of what the one before brought on to another balance, so that none is refused.
  func transfer(_ index: Int) -> Transfer {
    let pair = Self.seed &+ UInt64(index / 2) &* 31
    let first = Int(scrambled(pair &+ 5) % UInt64(balanceCount))
    let currency = currency(of: first)
    let brought = Self.amount(scrambled(pair &+ 6))
    let rows = rowsByCurrency[currency]
    let number = scrambled(pair &+ 7)
    let second = Int(rows[Int(number % UInt64(rows.count))])
    if index % 2 == 0 || second == first {
      return Transfer(
        source: "@world", destination: balanceID(first), currency: Self.currencies[currency], amount: brought,
        allowsOverdraft: true)
    }
    return Transfer(
      source: balanceID(first), destination: balanceID(second), currency: Self.currencies[currency],
      amount: brought / Int128(2 + number >> 60), allowsOverdraft: false)
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

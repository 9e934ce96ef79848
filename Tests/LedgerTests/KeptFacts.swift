// One fact of each type and the bytes that version 1 made of it.

import Amounts
import Columns
import Platform

@testable import Ledger

/// Facts at positions 1, 2, …; each is a unit of its own.
enum KeptFacts {
  static var all: [(fact: Fact, bytes: [UInt8])] {
    zip(facts, lines.split(separator: ";")).map { ($0, bytes(of: $1)) }
  }

  private static let time = Microseconds(1_735_689_600_000_000)
  private static let later = Microseconds(1_735_689_600_000_258)

  private static let facts: [Fact] = [
    .ledgerCreated(
      LedgerCreated(
        identifier: .generalLedger, name: "General Ledger", metadata: [], createdAt: time, time: time)),
    .ledgerUpdated(LedgerUpdated(ledger: RowIndex(0), name: "Main", time: later)),
    .identityCreated(
      IdentityCreated(
        identifier: .uuid(high: 0x0194_1F29_7C00_7001, low: 0x8000_0000_0000_0002),
        fields: ["individual", "Ada", nil] + [String?](repeating: nil, count: 12) + ["London"],
        metadata: Array("{\"a\":1}".utf8), createdAt: time, time: later)),
    .identityUpdated(
      IdentityUpdated(
        identity: RowIndex(0), fields: [String?](repeating: nil, count: 15) + ["Paris"], time: later)),
    .identityDeleted(IdentityDeleted(identity: RowIndex(1), time: later)),
    .balanceCreated(
      BalanceCreated(
        identifier: .custom("bln_cash"), ledger: RowIndex(0), currency: "USD", identity: RowIndex(4),
        indicator: "@cash", currencyMultiplier: 100, tracksFundLineage: true, allocationStrategy: .lifo,
        metadata: Array("{}".utf8), createdAt: time, time: later)),
    .balanceIdentityChanged(
      BalanceIdentityChanged(balance: RowIndex(258), identity: RowIndex(3), time: later)),
    .metadataChanged(
      MetadataChanged(
        kind: .transaction, row: RowIndex(9), metadata: Array("{\"k\":2}".utf8), time: later)),
    .transactionPosted(
      TransactionPosted(
        identifier: .uuid(high: 0x0194_1F29_7C00_7003, low: 0x8000_0000_0000_0004), source: RowIndex(1),
        destination: RowIndex(258), amount: Amount(Int64(100_000)), precision: 100, status: .applied,
        allowOverdraft: true,
        detail: TransactionDetail(
          reference: "payment-1", description: "rent",
          batch: StoredIdentifier(high: 0x0194_1F29_7C00_7005, low: 0x8000_0000_0000_0006),
          effectiveDate: time, overdraftLimit: Amount(Int64(300)), metadataDigest: 0x0102_0304_0506_0708),
        metadata: Array("{\"m\":3}".utf8), time: later)),
    .transactionPosted(
      TransactionPosted(
        identifier: .custom("txn_1"), source: RowIndex(1), destination: RowIndex(2),
        amount: Amount(Int128(1) << 100), precision: 1, status: .inflight, allowOverdraft: false,
        detail: TransactionDetail(reference: "r"), metadata: [], time: later)),
    .keyRemembered(
      KeyRemembered(
        key: IdempotencyKey(text: "key-1", contentDigest: 0x1112_1314_1516_1718),
        outcome: .transaction(PostedItem(row: RowIndex(300), replayed: false)), time: later)),
  ]

  /// Hexadecimal; a semicolon between two records.
  private static let lines = """
    5a000000010101000100000000000000000000000000000000600cba992a060000600cba992a06000000000000000000
    00000000000000001167656e6572616c5f6c65646765725f69640f0047656e6572616c204c6564676572
    ;
    2a000000020101000200000000000000000000000000000002610cba992a06000000000005004d61696e
    ;
    72000000030101000300000000000000000000000000000002610cba992a060000600cba992a06000170007c291f9401
    02000000000000800b00696e646976696475616c04004164610000000000000000000000000000000000000000000000
    00000007004c6f6e646f6e7b2261223a317d
    ;
    49000000040101000400000000000000000000000000000002610cba992a060000000000000000000000000000000000
    00000000000000000000000000000000000006005061726973
    ;
    24000000050101000500000000000000000000000000000002610cba992a060001000000
    ;
    57000000060101000600000000000000000000000000000002610cba992a060000000000050000001b00000000000000
    00000000000000000008626c6e5f63617368640355534405406361736800600cba992a06007b7d
    ;
    28000000070101000700000000000000000000000000000002610cba992a06000201000003000000
    ;
    2c000000080101000800000000000000000000000000000002610cba992a060002090000007b226b223a327d
    ;
    7b000000090101000900000000000000000000000000000002610cba992a06000100000002010000100370007c291f94
    01040000000000008003a0860164351f09007061796d656e742d31040072656e740570007c291f940106000000000000
    8000600cba992a0600022c0108070605040302017b226d223a337d
    ;
    53000000090101000a00000000000000000000000000000002610cba992a060001000000020000000100000000000000
    0000000000000000000574786e5f310d00000000000000000000000010010400010072
    ;
    320000000a0101000b00000000000000000000000000000002610cba992a06001817161514131211056b65792d310600
    ac02
    """

  static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  private static func bytes(of line: Substring) -> [UInt8] {
    let digits = line.compactMap { $0.hexDigitValue }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}

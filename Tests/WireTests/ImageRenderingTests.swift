// Pages rendered from images: every kind of row, with everything in it that has a form of its own.

import Testing

@testable import Wire

@Suite struct ImageRenderingTests {
  /// `Conversation` renders every page twice, through a cut and from images, and compares.
  @Test func imagesShowWhatTheCutShows() throws {
    var conversation = Conversation()
    func ask(_ line: String) -> String { conversation.answer(line) ?? "" }
    _ = ask(
      #"{"id":1,"method":"ledgers.create","params":{"ledger_id":"ldg_a","name":"A","meta_data":{"k":1}}}"#)
    _ = ask(
      #"{"id":1,"method":"identities.create","params":{"identity_id":"idt_a","identity_type":"individual","first_name":"Ä"}}"#
    )
    let balances = [
      #""balance_id":"bln_a","currency":"USD","identity_id":"idt_a","track_fund_lineage":true,"meta_data":{"x":"\u00e4\"q"}"#,
      #""balance_id":"bln_b","currency":"USD","currency_multiplier":100,"allocation_strategy":"LIFO""#,
      #""currency":"USD","created_at":"2019-12-31T23:59:59.000001Z""#,
    ]
    for balance in balances {
      let made = ask(
        "{\"id\":1,\"method\":\"balances.create\",\"params\":{\"ledger_id\":\"ldg_a\",\(balance)}}")
      #expect(made.contains("balance_id"), "\(made)")
    }
    var reference = 0
    for (index, amount) in [
      "1", "9", "10", "99", "100", "12345", "9223372036854775807", "1" + String(repeating: "0", count: 40),
    ]
    .enumerated() {
      for source in ["@World", "bln_b"] {
        reference += 1
        let made = ask(
          """
          {"id":1,"method":"transactions.create","params":{"source":"\(source)","destination":"bln_a",\
          "precise_amount":"\(amount)","currency":"USD","reference":"r\(reference)","allow_overdraft":true,\
          "meta_data":{"n":\(index)}}}
          """)
        #expect(made.contains("APPLIED"), "\(made)")
        let page = ask(#"{"id":1,"method":"balances.filter","params":{"filters":[],"include_count":true}}"#)
        #expect(page.contains(#""total_count":4"#), "\(page)")
      }
    }
    _ = ask(#"{"id":1,"method":"balances.filter","params":{"filters":[],"fields":["balance","meta_data"]}}"#)
    for table in ["transactions", "ledgers", "identities"] {
      let page = ask(#"{"id":1,"method":"\#(table).filter","params":{"filters":[]}}"#)
      #expect(page.contains("result"), "\(page)")
    }
  }
}

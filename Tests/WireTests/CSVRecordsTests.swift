// Objects as comma-separated values.

import Testing

@testable import Wire

@Suite struct CSVRecordsTests {
  private func record(_ json: String) -> String {
    var records = CSVRecords()
    var writer = JSONWriter()
    records.record(Array(json.utf8).span, into: &writer)
    return writer.text()
  }

  @Test(arguments: [
    (#"{"a":"x","b":1,"c":true,"d":null,"e":-2}"#, "x,1,true,,-2\n"),
    (#"{"a":"","b":null}"#, "\"\",\n"),
    (#"{"a":"x,y","b":"p\"q"}"#, "\"x,y\",\"p\"\"q\"\n"),
    (#"{"a":"\"\""}"#, "\"\"\"\"\"\"\n"),
    (#"{"a":"one\ntwo","b":"\r"}"#, "\"one\ntwo\",\"\r\"\n"),
    (#"{"a":"\\\/\t\b\f\u001f"}"#, "\\/\t\u{8}\u{c}\u{1f}\n"),
    (
      #"{"m":{"k":"a, \"}b\"","l":[1,{}]},"n":{}}"#,
      "\"{\"\"k\"\":\"\"a, \\\"\"}b\\\"\"\"\",\"\"l\"\":[1,{}]}\",{}\n"
    ),
    (#"{"a":null}"#, "\"\"\n"),
    (#"{"a":"ü€😀"}"#, "ü€😀\n"),
  ])
  func anObjectIsARecord(json: String, csv: String) {
    #expect(record(json) == csv)
  }

  @Test func namesAreQuotedLikeValues() {
    var records = CSVRecords()
    var writer = JSONWriter()
    records.header(["currency", "sum:balance", "a,b"], into: &writer)
    #expect(writer.text() == "currency,sum:balance,\"a,b\"\n")
  }
}

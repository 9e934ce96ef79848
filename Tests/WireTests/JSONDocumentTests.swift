// Reading parsed lines: kinds, members, text, and that simdjson is really at work.

import Testing

@testable import Wire

@Suite struct JSONDocumentTests {
  @Test func simdjsonIsInUse() {
    let version = JSONDocument.simdjsonVersion
    #expect(version.hasSuffix(" 3.0.1") || version.contains(" 3.") || version.contains(" 4."), "\(version)")
    let document = JSONDocument()
    let engine = document.engine
    #expect(engine == .simdjson)
  }

  @Test func aRequestIsReadMemberByMember() throws {
    var document = JSONDocument()
    try document.parse(
      copying:
        #"{"jsonrpc":"2.0","id":1.50,"method":"balances.get","params":{"balance_id":"bln_1","x":[1,-2,3e1]}}"#
    )
    let root = document.root!.kind
    #expect(root == .object)
    var seen: [String] = []
    var members = document.root!.members
    while let member = members.next() { seen.append("\(member.key.string()!)=\(member.value.rawString())") }
    #expect(
      seen == [
        "jsonrpc=\"2.0\"", "id=1.50", "method=\"balances.get\"",
        #"params={"balance_id":"bln_1","x":[1,-2,3e1]}"#,
      ])
    let integers = integerFlags(of: document.root!["params"]!["x"]!)
    #expect(integers == [true, true, false])
    let method = document.root!["method"]!
    let isMethod = method.equals("balances.get")
    let word = method.word
    #expect(isMethod)
    #expect(word == JSONWord.of("balances"))
    let isAbsent = document.root!["nothing"] == nil
    #expect(isAbsent)
  }

  private func integerFlags(of array: JSONValue) -> [Bool] {
    var flags: [Bool] = []
    var elements = array.elements
    while let element = elements.next() { flags.append(element.isInteger) }
    return flags
  }

  @Test func escapesAreResolvedInKeysAndStrings() throws {
    var document = JSONDocument()
    try document.parse(copying: #"{"\u0069d":"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u0000z"}"#)
    let text = document.root!["id"]!.string()
    #expect(text == "a\"\\/\u{8}\u{c}\n\r\té😀\0z")
  }

  @Test func theIdOfALineWithADuplicateKeyCanBeRead() {
    var document = JSONDocument()
    #expect(throws: JSONFault.duplicateKey(name: "a", firstOffset: 1, secondOffset: 7)) {
      try document.parse(copying: #"{"a":1,"\u0061":2,"id":7}"#)
    }
    let id = document.root!["id"]!.rawString()
    #expect(id == "7")
  }

  @Test func theIdOfALineNestedTooDeepCanBeRead() {
    var document = JSONDocument()
    let deep = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
    #expect(throws: JSONFault.nestedTooDeep(offset: 6 + 63)) {
      try document.parse(copying: #"{"p": "# + deep + #","id":"x"}"#)
    }
    let id = document.root!["id"]!.rawString()
    #expect(id == "\"x\"")
  }

  @Test func nothingIsReadableAfterALineThatIsNotJSON() {
    var document = JSONDocument()
    #expect(throws: JSONFault.notJSON(offset: 6, what: .unexpectedByte(UInt8(ascii: "}")))) {
      try document.parse(copying: #"{"id":}}"#)
    }
    let isUnreadable = document.root == nil
    #expect(isUnreadable)
  }

  @Test func memoryIsGivenBackAtTheNextSmallLine() throws {
    var document = JSONDocument()
    try document.parse(copying: "[\(String(repeating: "0,", count: 999_999))0]")
    let large = document.tape.capacity
    #expect(large >= 1_000_001)
    try document.parse(copying: "[0]")
    let small = document.tape.capacity
    #expect(small == JSONTape.smallestCapacity)
  }

  @Test func oneDocumentServesSeveralDecodersInTurn() throws {
    var document = JSONDocument()
    var first = LineDecoder()
    var second = LineDecoder()
    unsafe first.append(Array("[1]\n[2,2]\n".utf8).span.bytes)
    unsafe second.append(Array("{}\n[3,3,3]\n".utf8).span.bytes)
    var counts: [Int] = []
    for _ in 0..<2 {
      guard case .line(let one)? = first.next(), case .line(let other)? = second.next() else {
        Issue.record("two lines each")
        return
      }
      try document.parse(one, of: first)
      counts.append(document.root(in: first)!.count)
      try document.parse(other, of: second)
      counts.append(document.root(in: second)!.count)
    }
    #expect(counts == [1, 0, 2, 3])
  }

  @Test func integersBeyondSixtyFourBitsAreNotConverted() throws {
    var document = JSONDocument()
    for (text, value) in [
      ("0", 0), ("-0", 0), ("9223372036854775807", Int64.max), ("-9223372036854775808", .min),
      ("9223372036854775808", nil), ("-9223372036854775809", nil), ("1.0", nil), ("1e2", nil), ("true", nil),
      (String(repeating: "9", count: 100_000), nil),
    ] as [(String, Int64?)] {
      try document.parse(copying: text)
      let found = document.root!.int64()
      #expect(found == value, "\(text.prefix(30))")
    }
  }

  @Test func readingALineAfterItsBytesHaveChangedStopsTheProcess() async {
    await #expect(processExitsWith: .failure) {
      var lines = LineDecoder()
      unsafe lines.append(Array("[1]\n".utf8).span.bytes)
      var document = JSONDocument()
      if case .line(let line)? = lines.next() { try document.parse(line, of: lines) }
      unsafe lines.append(Array("[2]\n".utf8).span.bytes)
      _ = document.root(in: lines)?.kind
    }
  }
}

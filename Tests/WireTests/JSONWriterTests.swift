// What the writer writes, the reader reads back.

import Amounts
import TestSupport
import Testing

@testable import Wire

@Suite struct JSONWriterTests {
  private func written(_ body: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter(capacity: 64)
    body(&writer)
    return writer.text()
  }

  @Test func commasComeByThemselves() {
    let text = written { writer in
      writer.beginObject()
      writer.key("a")
      writer.integer(1)
      writer.key("b")
      writer.beginArray()
      writer.bool(true)
      writer.null()
      writer.beginObject()
      writer.endObject()
      writer.beginArray()
      writer.endArray()
      writer.string("x,")
      writer.string("{")
      writer.integer(-7)
      writer.endArray()
      writer.key(escaping: "é\"")
      writer.plainString("ok")
      writer.endObject()
      writer.endLine()
      writer.beginObject()
    }
    #expect(text == #"{"a":1,"b":[true,null,{},[],"x,","{",-7],"é\"":"ok"}"# + "\n{")
  }

  @Test func onlyWhatMustBeEscapedIs() {
    #expect(
      written { $0.string("\"\\/\u{8}\u{c}\n\r\t\0\u{1f}\u{7f}é\u{2028}😀") }
        == #""\"\\/\b\f\n\r\t\u0000\u001f"# + "\u{7f}é\u{2028}😀\"")
  }

  @Test(arguments: Seed.sample(8))
  func everyStringIsReadBackAsItWas(seed: Seed) throws {
    var generator = seed.generator
    var document = JSONDocument()
    for _ in 0..<300 {
      let scalars = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
        let bound: UInt32 = [0x30, 0x80, 0x800, 0xd800, 0x11_0000].randomElement(using: &generator)!
        return Unicode.Scalar(UInt32.random(in: 0..<bound, using: &generator)) ?? "\u{fffd}"
      }
      var text = ""
      text.unicodeScalars.append(contentsOf: scalars)
      try document.parse(copying: written { $0.string(text) })
      let back = document.root!.string()
      #expect(back.map { Array($0.utf8) } == Array(text.utf8), "\(seed)")
    }
  }

  @Test func integersOfAllWidthsAreWrittenInFull() {
    for value in [0, 1, -1, 9, 10, 99, 100, 999_999_999, 1_000_000_000, Int64.max, Int64.min] {
      #expect(written { $0.integer(value) } == "\(value)")
    }
    for value in [UInt64.max, 9_999_999_999_999_999_999, 10_000_000_000_000_000_000] {
      #expect(written { $0.integer(value) } == "\(value)")
    }
    #expect(written { $0.integer(UInt8(200)) } == "200")
  }

  @Test(arguments: Seed.sample(4))
  func amountsAreDecimalStrings(seed: Seed) throws {
    var generator = seed.generator
    for _ in 0..<200 {
      let digits = Int.random(in: 1...80, using: &generator)
      let text = (0..<digits).map { _ in String(Int.random(in: 1...9, using: &generator)) }.joined()
      let amount = try Amount("-" + text)
      #expect(written { $0.amount(amount) } == "\"-\(text)\"")
    }
    #expect(written { $0.amount(nil) } == "null")
  }

  @Test func identifiersArePrefixesAndUUIDs() {
    let text = written { $0.identifier("bln_", high: 0x0123_4567_89ab_cdef, low: 0xfedc_ba98_7654_3210) }
    #expect(text == "\"bln_01234567-89ab-cdef-fedc-ba9876543210\"")
  }

  @Test(arguments: Seed.sample(8))
  func bytesAreTakenAwayFromTheFrontInAnyPieces(seed: Seed) {
    var generator = seed.generator
    var writer = JSONWriter(capacity: 64)
    var expected: [UInt8] = []
    var taken: [UInt8] = []
    writer.beginArray()
    expected.append(UInt8(ascii: "["))
    for number in 0..<3_000 {
      writer.integer(number)
      expected += Array((number == 0 ? "" : ",").utf8) + Array(String(number).utf8)
      if Int.random(in: 0..<4, using: &generator) == 0 {
        let count = Int.random(in: 0...writer.count, using: &generator)
        taken += writer.copied().prefix(count)
        writer.consume(count)
      }
    }
    taken += writer.copied()
    #expect(taken == expected, "\(seed)")
  }

  @Test func anAnswerCanBeTakenBack() {
    let text = written { writer in
      writer.beginArray()
      writer.integer(1)
      let mark = writer.count
      writer.beginObject()
      writer.key("half")
      writer.rewind(to: mark)
      writer.integer(2)
      writer.endArray()
    }
    #expect(text == "[1,2]")
  }

  @Test func memoryIsGivenBackAfterALargeAnswer() {
    var writer = JSONWriter()
    writer.string(String(repeating: "x", count: 4 << 20))
    writer.consume(writer.count)
    let capacity = writer.capacity
    #expect(capacity == JSONWriter.keptCapacity)
  }
}

// Texts and codes stand for each other, against a dictionary, and for readers beside the writer.

import Columns
import Platform
import Synchronization
import TestSupport
import Testing

struct TextDictionaryTests {
  @Test(arguments: Seed.sample(4)) func codesAreNumbersOfFirstUse(_ seed: Seed) {
    var generator = seed.generator
    let dictionary = TextDictionary()
    var codes: [String: TextCode] = [:]
    var texts: [String] = []
    for _ in 0..<5_000 {
      let letters = ["", "a", "é", "\u{1F600}", "USD", "\0", "zz"]
      let text = (0..<Int.random(in: 0...5, using: &generator))
        .map { _ in letters.randomElement(using: &generator)! }.joined()
      #expect(dictionary.code(of: text) == codes[text])
      let code = dictionary.intern(text)
      if let known = codes[text] {
        #expect(code == known)
      } else {
        texts.append(text)
        codes[text] = code
        #expect(code == TextCode(texts.count))
      }
    }
    #expect(dictionary.count == texts.count)
    for (place, text) in texts.enumerated() {
      #expect(dictionary.text(of: TextCode(place + 1)) == text)
      #expect(dictionary.isText(of: TextCode(place + 1), text))
      #expect(!dictionary.isText(of: TextCode(place + 1), text + "!"))
    }
  }

  /// Equal by Unicode's rules but different bytes: a dictionary of bytes keeps both.
  @Test func textsAreComparedByBytes() {
    let dictionary = TextDictionary()
    let composed = "\u{E9}"
    let decomposed = "e\u{301}"
    #expect(composed == decomposed)
    #expect(dictionary.intern(composed) != dictionary.intern(decomposed))
  }

  @Test func theAbsentValueHasNoText() async {
    let dictionary = TextDictionary()
    #expect(dictionary.text(of: 0) == nil)
    #expect(!dictionary.isText(of: 0, ""))
    #expect(dictionary.code(of: "") == nil)
    #expect(dictionary.intern("") == 1)
    await #expect(processExitsWith: .failure) { _ = unsafe TextDictionary().bytes(of: 0) }
  }

  /// More codes than a segment of offsets holds.
  @Test func codesGoOnPastSegmentBordersWhileOthersLookUp() throws {
    let dictionary = TextDictionary()
    let progress = Progress()
    let total = 70_000
    let readers = try (0..<2).map { number in
      try Thread(name: "reader") {
        var generator = Seed(UInt64(number)).generator
        while true {
          let count = progress.published.load(ordering: .acquiring)
          if count == total { return }
          if count == 0 { continue }
          let code = TextCode(Int.random(in: 1...count, using: &generator))
          let isRight =
            dictionary.text(of: code) == "text \(code)" && dictionary.code(of: "text \(code)") == code
            && dictionary.code(of: "no \(code)") == nil
          if !isRight { progress.wrong.add(1, ordering: .relaxed) }
        }
      }
    }
    for code in 1...total {
      let interned = dictionary.intern("text \(code)")
      if interned != TextCode(code) { progress.wrong.add(1, ordering: .relaxed) }
      progress.published.store(code, ordering: .releasing)
    }
    for reader in readers { reader.join() }
    #expect(progress.wrong.load(ordering: .relaxed) == 0)
    for code in [1, 65_535, 65_536, 65_537, 70_000] as [TextCode] {
      #expect(dictionary.text(of: code) == "text \(code)")
    }
  }

  private final class Progress: Sendable {
    let published = Atomic<Int>(0)
    let wrong = Atomic<Int>(0)
  }
}

// Patterns one by one, and the law that a text is like itself with every special character escaped.

import TestSupport
import Testing

@testable import Query

@Suite struct LikePatternTests {
  private func matches(_ text: String, _ pattern: String, ignoresCase: Bool = false) -> Bool {
    let bytes = Array(text.utf8)
    return LikePattern(pattern, ignoresCase: ignoresCase).matches(bytes.span)
  }

  @Test func patternsMatchWholeTexts() {
    #expect(matches("abc", "abc"))
    #expect(!matches("abcd", "abc"))
    #expect(!matches("xabc", "abc"))
    #expect(matches("", ""))
    #expect(matches("", "%"))
    #expect(!matches("", "_"))
    #expect(matches("user@example.com", "%@example.com"))
    #expect(matches("aXbXc", "a%b%c"))
    #expect(matches("aaab", "%ab"))
    #expect(matches("abab", "%ab"))
    #expect(!matches("abc", "%b"))
  }

  @Test func underscoreTakesOneCodePoint() {
    #expect(matches("日本", "__"))
    #expect(!matches("日本", "_____"))
    #expect(matches("é", "_"))
    #expect(!matches("e\u{301}", "_"))
  }

  @Test func backslashEscapesAndStandsForItselfAtTheEnd() {
    #expect(matches("50%", "50\\%"))
    #expect(!matches("505", "50\\%"))
    #expect(matches("a_b", "a\\_b"))
    #expect(matches("a\\b", "a\\\\b"))
    #expect(matches("a\\", "a\\"))
    #expect(!matches("a", "a\\"))
  }

  @Test func caseIsFoldedOnlyByIlike() {
    #expect(!matches("ABC", "abc"))
    #expect(matches("ABC", "aBc", ignoresCase: true))
    #expect(matches("ÄRGER", "är%", ignoresCase: true))
    #expect(matches("ärger", "ÄR%", ignoresCase: true))
    // One code point never becomes two.
    #expect(!matches("STRASSE", "straße", ignoresCase: true))
  }

  @Test(arguments: Seed.sample(30))
  func anEscapedTextIsLikeItselfAlone(seed: Seed) {
    var generator = seed.generator
    let alphabet = Array("ab%_\\é日")
    func text() -> String {
      String(
        (0..<Int.random(in: 0...8, using: &generator)).map { _ in alphabet.randomElement(using: &generator)! }
      )
    }
    let (first, second) = (text(), text())
    let escaped = first.map { "\\" + String($0) }.joined()
    #expect(matches(first, escaped), "\(seed)")
    #expect(matches(second, escaped) == (first == second), "\(seed)")
    #expect(matches(second, second.map { "\\" + String($0) }.joined() + "%"), "\(seed)")
  }
}

// How wide texts are on a terminal.

import Testing

@testable import Commands

@Test(arguments: [
  ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("日本", 4), ("한국어", 6), ("😀", 2), ("👨‍👩‍👧", 2), ("❤️", 2),
  ("ﬀ", 1), ("Ａ", 2), ("\u{200b}", 0), ("a\u{ad}b", 2), ("…", 1), ("│", 1),
])
func widthCountsTerminalColumns(text: String, width: Int) {
  #expect(TextWidth.of(text) == width)
}

@Test func elidedTextNeverExceedsItsColumns() {
  for text in ["bln_0190a3f2-7c1e-7000-8000-00000000a3f2", "日本語の口座", "e\u{301}e\u{301}e\u{301}e\u{301}", ""] {
    for columns in 0...12 {
      #expect(TextWidth.of(TextWidth.elideEnd(text, columns: columns, mark: "…")) <= columns)
      #expect(TextWidth.of(TextWidth.elideMiddle(text, columns: columns, mark: "…")) <= columns)
    }
  }
  #expect(TextWidth.elideMiddle("bln_0190a3f2", columns: 9, mark: "…") == "bln_…a3f2")
  #expect(TextWidth.elideEnd("日本語", columns: 4, mark: "…") == "日…")
}

@Test func controlCharactersCannotReachTheTerminal() {
  #expect(TextWidth.printable("a\u{1b}[31mb\nc\td\u{202e}e") == "a\\u001b[31mb\\nc\\td\\u202ee")
  #expect(TextWidth.printable("日本 😀 é") == "日本 😀 é")
}

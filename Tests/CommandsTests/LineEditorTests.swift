// The line editor is libedit's: its tokenizer quotes as a shell does, and it says its version.

import CEdit
import Testing

struct LineEditorTests {
  @Test func libeditIsTheOneInUse() {
    #expect(LIBEDIT_MAJOR == 2 && LIBEDIT_MINOR >= 11)
  }

  @Test func itsTokenizerSplitsALineAsAShellDoes() throws {
    guard let tokenizer = unsafe tok_init(nil) else {
      Issue.record("libedit made no tokenizer")
      return
    }
    defer { unsafe tok_end(tokenizer) }
    var count: CInt = 0
    var words: UnsafeMutablePointer<UnsafePointer<CChar>?>?
    let result = unsafe tok_str(tokenizer, "call 'two words' \"a b\"c", &count, &words)
    #expect(result == 0 && count == 3)
    var texts: [String] = []
    for place in 0..<Int(count) {
      if let word = unsafe words?[place] { texts.append(unsafe String(cString: word)) }
    }
    #expect(texts == ["call", "two words", "a bc"])
  }
}

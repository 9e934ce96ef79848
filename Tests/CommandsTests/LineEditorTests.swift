// The line editor is libedit's: its tokenizer quotes as a shell does, and it says its version.

import CEdit
import Testing

struct LineEditorTests {
  @Test func libeditIsTheOneInUse() {
    #expect(LIBEDIT_MAJOR == 2 && LIBEDIT_MINOR >= 11)
  }

  @Test func itsTokenizerSplitsALineAsAShellDoes() throws {
    let tokenizer = try #require(unsafe tok_init(nil))
    defer { unsafe tok_end(tokenizer) }
    var count: CInt = 0
    var words: UnsafeMutablePointer<UnsafePointer<CChar>?>? = unsafe nil
    let result = unsafe tok_str(tokenizer, "call 'two words' \"a b\"c", &count, &words)
    #expect(result == 0 && count == 3)
    let texts = try unsafe (0..<Int(count)).map { place in
      try unsafe String(cString: #require(words?[place]))
    }
    #expect(texts == ["call", "two words", "a bc"])
  }
}

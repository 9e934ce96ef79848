// Editing a line on the terminal, by libedit: history, completion, Ctrl-C and Ctrl-D as answers.
//
// A fence: all that touches libedit is here.

import CEdit

/// What a person did at the prompt.
package enum EditedLine: Equatable {
  case line(String)
  /// Ctrl-C: the line is thrown away.
  case cancelled
  /// Ctrl-D on an empty line.
  case end
}

/// What may stand at the cursor.
package struct Completion: Equatable, Sendable {
  /// Bytes before the cursor that a candidate replaces.
  package let replaced: Int
  package let candidates: [String]

  package init(replaced: Int, candidates: [String]) {
    self.replaced = replaced
    self.candidates = candidates
  }

  /// The longest text that all candidates begin with.
  package var commonPrefix: String {
    guard let first = candidates.first else { return "" }
    return candidates.dropFirst().reduce(first) { prefix, candidate in
      String(zip(prefix, candidate).prefix { $0 == $1 }.map(\.0))
    }
  }
}

/// The editor of the terminal behind standard input and output. One at a time in a process.
@safe
package final class LineEditor {
  /// Candidates for the text before the cursor.
  package typealias Completer = (String) -> Completion

  private static let historyLimit: CInt = 5000

  private var editor: OpaquePointer?
  private var lines: OpaquePointer?
  private let historyPath: String?
  private let complete: Completer
  /// What the prompt function answers; lives as long as the editor needs it.
  private var prompt: UnsafeMutablePointer<CChar>?
  private var isCancelled = false

  /// - Parameter historyPath: where lines are kept between sessions; nil keeps none.
  package init?(historyPath: String?, complete: @escaping Completer) {
    self.historyPath = historyPath
    self.complete = complete
    let client = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe editor = cedit_make("ledgerline", LineEditor.promptFunction, client)
    guard let editor = unsafe editor else { return nil }
    unsafe cedit_bind(editor, "\t", "ledgerline-complete", LineEditor.completeFunction)
    unsafe cedit_bind(editor, "^C", "ledgerline-cancel", LineEditor.cancelFunction)
    unsafe cedit_bind_builtin(editor, "^R", "em-inc-search-prev")
    unsafe lines = cedit_make_history(editor, LineEditor.historyLimit)
    if let historyPath { unsafe cedit_load(lines, historyPath) }
  }

  deinit {
    if let lines = unsafe lines { unsafe history_end(lines) }
    if let editor = unsafe editor { unsafe el_end(editor) }
    unsafe free(prompt)
  }

  /// Lets the person edit a line, without its line end.
  package func read(prompt text: String) -> EditedLine {
    unsafe free(prompt)
    unsafe prompt = strdup(text)
    isCancelled = false
    var count: CInt = 0
    guard let bytes = unsafe el_gets(editor, &count), count > 0 else {
      return isCancelled ? .cancelled : .end
    }
    if isCancelled { return .cancelled }
    var line = unsafe String(cString: bytes)
    while line.hasSuffix("\n") { line.removeLast() }
    return .line(line)
  }

  /// Adds a whole input to the history, and to its file at once, so that a crash loses none.
  package func remember(_ text: String) {
    // One entry is one line of the file.
    let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
    guard !line.isEmpty else { return }
    unsafe cedit_enter(lines, line + "\n")
    if let historyPath { unsafe cedit_save(lines, historyPath) }
  }

  private static func of(_ editor: OpaquePointer?) -> LineEditor? {
    guard let client = unsafe cedit_client(editor) else { return nil }
    return unsafe Unmanaged<LineEditor>.fromOpaque(client).takeUnretainedValue()
  }

  private static let promptFunction: cedit_prompt = { editor in
    unsafe LineEditor.of(editor)?.prompt
  }

  private static let cancelFunction: cedit_function = { editor, _ in
    guard let self = unsafe LineEditor.of(editor) else { return UInt8(CC_ERROR) }
    self.isCancelled = true
    unsafe cedit_print("^C\n")
    return UInt8(CC_NEWLINE)
  }

  private static let completeFunction: cedit_function = { editor, _ in
    guard let self = unsafe LineEditor.of(editor), let info = unsafe el_line(editor) else {
      return UInt8(CC_ERROR)
    }
    let count = unsafe info.pointee.cursor - info.pointee.buffer
    let before = unsafe UnsafeRawBufferPointer(start: info.pointee.buffer, count: count)
    let completion = unsafe self.complete(String(decoding: before, as: UTF8.self))
    guard !completion.candidates.isEmpty else { return UInt8(CC_REFRESH_BEEP) }
    let common = completion.commonPrefix
    if common.utf8.count > completion.replaced || completion.candidates.count == 1 {
      unsafe el_deletestr(editor, CInt(completion.replaced))
      unsafe el_insertstr(editor, common)
      return UInt8(CC_REFRESH)
    }
    unsafe cedit_print("\n" + LineEditor.list(completion.candidates))
    return UInt8(CC_REDISPLAY)
  }

  /// Candidates in columns, at most forty of them.
  package static func list(_ candidates: [String], width: Int = 80) -> String {
    let shown = candidates.prefix(40)
    let cell = (shown.map(TextWidth.of).max() ?? 0) + 2
    let perLine = max(1, width / cell)
    var text = ""
    for (index, candidate) in shown.enumerated() {
      let isLast = (index + 1) % perLine == 0 || index + 1 == shown.count
      text += isLast ? candidate + "\n" : TextWidth.pad(candidate, columns: cell)
    }
    if candidates.count > shown.count { text += "… and \(candidates.count - shown.count) more\n" }
    return text
  }
}

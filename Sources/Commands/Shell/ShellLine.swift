// What a person types into the shell, read into a request or a dot command.

import LedgerlineClient
import Wire

/// One finished input of the shell.
package enum ShellInput: Equatable {
  case nothing
  /// More lines must follow: a bracket or a string is still open.
  case unfinished
  case dotCommand(name: String, arguments: [String])
  case request(method: String, params: JSONNode?)
}

/// Why an input cannot be read.
package enum ShellSyntaxError: Error, Equatable {
  case paramsNotJSON(JSONFault)
  case paramsNotObject
  case expectedKeyValue(String)
  case keyTwice(String)
  case openQuote

  package var text: String {
    switch self {
    case .paramsNotJSON(let error): "params are \(error)"
    case .paramsNotObject: "params must be an object: METHOD {\"key\": value} or METHOD key=value"
    case .expectedKeyValue(let word):
      "\"\(word)\" is not key=value; params are written METHOD key=value or METHOD {…}"
    case .keyTwice(let key): "\"\(key)\" is given twice"
    case .openQuote: "a quote is not closed"
    }
  }
}

package enum ShellLine {
  /// Reads `text`, maybe several lines: `METHOD`, `METHOD {JSON}`, `METHOD key=value …`, `.command words`.
  /// A line that begins with `#` is a comment, a semicolon at the end is ignored.
  package static func parse(_ text: String) throws(ShellSyntaxError) -> ShellInput {
    var source = trimmed(text[...])
    while source.hasPrefix("#") {
      guard let end = source.firstIndex(where: \.isNewline) else { return .nothing }
      source = trimmed(source[end...])
    }
    if source.hasPrefix(".") { return try dotCommand(source) }
    while source.hasSuffix(";") { source = trimmed(source.dropLast()) }
    guard !source.isEmpty else { return .nothing }
    let methodEnd = source.firstIndex { $0.isWhitespace || $0 == "{" } ?? source.endIndex
    let method = String(source[..<methodEnd])
    let rest = trimmed(source[methodEnd...])
    if rest.isEmpty { return .request(method: method, params: nil) }
    if isUnfinished(rest) { return .unfinished }
    if rest.hasPrefix("{") || rest.hasPrefix("[") {
      let node: JSONNode
      do { node = try JSONNode.parse(rest) } catch { throw .paramsNotJSON(error) }
      guard case .object = node else { throw .paramsNotObject }
      return .request(method: method, params: node)
    }
    return .request(method: method, params: try shorthand(rest))
  }

  /// Whether a bracket or a double quote is open at the end of `text`.
  package static func isUnfinished(_ text: Substring) -> Bool {
    var depth = 0
    var inString = false
    var isEscaped = false
    for byte in text.utf8 {
      if inString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          inString = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): inString = true
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
    }
    return inString || depth > 0
  }

  /// `key=value key=value` as an object. A value that reads as JSON is that; any other is a text, and
  /// `'…'` is always a text.
  package static func shorthand(_ text: Substring) throws(ShellSyntaxError) -> JSONNode {
    var members: [JSONNode.Member] = []
    for word in try words(text) {
      guard let equals = word.firstIndex(of: "="), equals != word.startIndex else {
        throw .expectedKeyValue(word)
      }
      let key = String(word[..<equals])
      guard !members.contains(where: { $0.name == key }) else { throw .keyTwice(key) }
      members.append(JSONNode.Member(key, value(word[word.index(after: equals)...])))
    }
    return .object(members)
  }

  package static func value(_ text: Substring) -> JSONNode {
    if text.count >= 2, text.hasPrefix("'"), text.hasSuffix("'") {
      return .string(String(text.dropFirst().dropLast()))
    }
    if let node = try? JSONNode.parse(text) { return node }
    return .string(String(text))
  }

  /// Words between blanks; brackets, `"…"` and `'…'` keep blanks inside together. Quotes stay in the words.
  private static func words(_ text: Substring) throws(ShellSyntaxError) -> [String] {
    var words: [String] = []
    var word = ""
    var depth = 0
    var quote: Character?
    var isEscaped = false
    for character in text {
      if let open = quote {
        word.append(character)
        if isEscaped {
          isEscaped = false
        } else if character == "\\" && open == "\"" {
          isEscaped = true
        } else if character == open {
          quote = nil
        }
        continue
      }
      if character.isWhitespace && depth == 0 {
        if !word.isEmpty { words.append(word) }
        word = ""
        continue
      }
      switch character {
      case "\"": quote = character
      case "'" where word.hasSuffix("="): quote = character
      case "{", "[": depth += 1
      case "}", "]": depth -= 1
      default: break
      }
      word.append(character)
    }
    guard quote == nil else { throw .openQuote }
    if !word.isEmpty { words.append(word) }
    return words
  }

  private static func dotCommand(_ text: Substring) throws(ShellSyntaxError) -> ShellInput {
    let name = text.prefix { !$0.isWhitespace }
    let rest = trimmed(text[name.endIndex...])
    // What follows a bar is a command line for the system's shell, as it is.
    if rest.hasPrefix("|") { return .dotCommand(name: String(name), arguments: [String(rest)]) }
    let arguments = try words(rest).map { word in
      word.count >= 2 && word.hasPrefix("\"") && word.hasSuffix("\"")
        ? String(word.dropFirst().dropLast()) : word
    }
    return .dotCommand(name: String(name), arguments: arguments)
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var result = text.drop(while: \.isWhitespace)
    while let last = result.last, last.isWhitespace { result = result.dropLast() }
    return result
  }
}

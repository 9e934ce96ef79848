// Options and arguments of a subcommand, read from its part of argv.

import Wire

/// What a subcommand takes: the source of its parsing and of its `--help`.
package struct OptionSpecification: Sendable {
  package enum Value: Sendable, Equatable {
    case none
    /// Needs a value; the name stands for it in the help.
    case required(String)
  }

  package let name: String
  package let short: Character?
  package let value: Value
  package let help: String

  package init(_ name: String, short: Character? = nil, value: Value = .none, help: String) {
    self.name = name
    self.short = short
    self.value = value
    self.help = help
  }

  package static let help = OptionSpecification("help", short: "h", help: "show this text")
  package static let json = OptionSpecification("json", help: "print results as JSON, for programs")
  package static let socket = OptionSpecification(
    "socket", value: .required("PATH"),
    help: "the server's socket (default: $LEDGERLINE_SOCKET, then ./ledgerline-data/ledgerline.sock)")
}

/// Why a command line cannot be carried out. The text names what was found and what is allowed.
package enum OptionError: Error, Equatable {
  case unknown(option: String, meant: String?)
  case missingValue(option: String, placeholder: String)
  case unexpectedValue(option: String)
  case notANumber(option: String, found: String, allowed: ClosedRange<Int>)
  case notAllowed(option: String, found: String, allowed: [String])
  case missingArgument(String)
  case unexpectedArgument(String)

  package var text: String {
    switch self {
    case .unknown(let option, let meant):
      "unknown option \(option)" + (meant.map { "; did you mean --\($0)?" } ?? "")
    case .missingValue(let option, let placeholder):
      "option --\(option) needs a value: --\(option) \(placeholder)"
    case .unexpectedValue(let option): "option --\(option) takes no value"
    case .notANumber(let option, let found, let allowed):
      "option --\(option): \"\(found)\" is not a number from \(allowed.lowerBound) to \(allowed.upperBound)"
    case .notAllowed(let option, let found, let allowed):
      "option --\(option): \"\(found)\" is not one of \(allowed.joined(separator: ", "))"
    case .missingArgument(let name): "missing argument: \(name)"
    case .unexpectedArgument(let text): "unexpected argument \"\(text)\""
    }
  }
}

/// The options and arguments that were given. Later values of an option replace earlier ones.
package struct CommandOptions: Sendable {
  package private(set) var arguments: [String] = []
  private var values: [String: String] = [:]

  /// Reads `words` by `specifications`: `--name VALUE`, `--name=VALUE`, `-x`; after `--` all are arguments,
  /// and a single `-` is one.
  package init(_ words: [String], _ specifications: [OptionSpecification]) throws(OptionError) {
    var index = 0
    var onlyArguments = false
    while index < words.count {
      let word = words[index]
      index += 1
      if onlyArguments || word == "-" || !word.hasPrefix("-") {
        arguments.append(word)
        continue
      }
      if word == "--" {
        onlyArguments = true
        continue
      }
      let (specification, inline) = try Self.find(word, specifications)
      switch specification.value {
      case .none:
        guard inline == nil else { throw .unexpectedValue(option: specification.name) }
        values[specification.name] = ""
      case .required(let placeholder):
        if let inline {
          values[specification.name] = inline
        } else if index < words.count {
          values[specification.name] = words[index]
          index += 1
        } else {
          throw .missingValue(option: specification.name, placeholder: placeholder)
        }
      }
    }
  }

  private static func find(
    _ word: String, _ specifications: [OptionSpecification]
  ) throws(OptionError) -> (OptionSpecification, String?) {
    if word.hasPrefix("--") {
      let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      if let found = specifications.first(where: { $0.name == name }) {
        return (found, parts.count > 1 ? String(parts[1]) : nil)
      }
      throw .unknown(
        option: "--" + name, meant: Suggestion.nearest(to: name, among: specifications.map(\.name)))
    }
    if word.count == 2, let found = specifications.first(where: { $0.short == word.last }) {
      return (found, nil)
    }
    let bare = String(word.drop { $0 == "-" })
    throw .unknown(
      option: word, meant: Suggestion.nearest(to: bare, among: specifications.map(\.name)))
  }

  package func has(_ option: String) -> Bool { values[option] != nil }

  package func value(_ option: String) -> String? { values[option] }

  /// A number within `allowed`, or `standard` when the option was not given. Blanks and `_` between digits of
  /// large numbers are not taken; `1000000` is.
  package func number(
    _ option: String, in allowed: ClosedRange<Int>, default standard: Int
  ) throws(OptionError) -> Int {
    guard let text = values[option] else { return standard }
    guard let number = Int(text), allowed.contains(number) else {
      throw .notANumber(option: option, found: text, allowed: allowed)
    }
    return number
  }

  /// One of `allowed`, or nil when the option was not given.
  package func choice(_ option: String, of allowed: [String]) throws(OptionError) -> String? {
    guard let text = values[option] else { return nil }
    guard allowed.contains(text) else { throw .notAllowed(option: option, found: text, allowed: allowed) }
    return text
  }

  /// Refuses arguments beyond `count`.
  package func atMost(_ count: Int) throws(OptionError) {
    if arguments.count > count { throw .unexpectedArgument(arguments[count]) }
  }
}

// What a subcommand is, and the help made from it.

/// One subcommand of `ledgerline`: its name, its options, what it does.
package struct Subcommand: Sendable {
  package let name: String
  /// What follows the name in the usage line, such as `METHOD [JSON|-]`.
  package let arguments: String
  /// One line for the list of subcommands.
  package let summary: String
  /// Paragraphs and examples of `--help`, below the options.
  package let details: String
  package let options: [OptionSpecification]
  package let run: @Sendable (CommandOptions, Console) throws -> ExitCode

  package init(
    name: String, arguments: String = "", summary: String, details: String = "",
    options: [OptionSpecification], run: @escaping @Sendable (CommandOptions, Console) throws -> ExitCode
  ) {
    self.name = name
    self.arguments = arguments
    self.summary = summary
    self.details = details
    self.options = options + [.help]
    self.run = run
  }

  /// The text of `ledgerline NAME --help`.
  package var help: String {
    var text =
      "Usage: ledgerline \(name)\(arguments.isEmpty ? "" : " " + arguments) [options]\n\n\(summary)\n"
    let left = options.map { option -> String in
      let short = option.short.map { "-\($0), " } ?? "    "
      guard case .required(let placeholder) = option.value else { return short + "--" + option.name }
      return short + "--\(option.name) \(placeholder)"
    }
    let width = left.map(\.count).max() ?? 0
    text += "\nOptions:\n"
    for (names, option) in zip(left, options) {
      text += "  " + TextWidth.pad(names, columns: width) + "  " + option.help + "\n"
    }
    if !details.isEmpty { text += "\n" + details + "\n" }
    return text
  }
}

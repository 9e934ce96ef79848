// The characters and colours that tables, bars and errors are drawn with.

/// The characters of boxes, bars and marks: Unicode, or ASCII for other locales.
package struct BoxStyle: Sendable {
  package let horizontal: String
  package let vertical: String
  package let top: (left: String, cross: String, right: String)
  package let middle: (left: String, cross: String, right: String)
  /// Between rows and footer, where column lines end.
  package let close: String
  package let bottom: (left: String, cross: String, right: String)
  /// Stands for text, rows or columns left out.
  package let ellipsis: String
  package let dot: String
  package let tick: String
  package let cross: String

  package static let unicode = BoxStyle(
    horizontal: "─", vertical: "│", top: ("┌", "┬", "┐"), middle: ("├", "┼", "┤"), close: "┴",
    bottom: ("└", "┴", "┘"), ellipsis: "…", dot: "·", tick: "✓", cross: "✗")
  package static let ascii = BoxStyle(
    horizontal: "-", vertical: "|", top: ("+", "+", "+"), middle: ("+", "+", "+"), close: "+",
    bottom: ("+", "+", "+"), ellipsis: "~", dot: ".", tick: "ok", cross: "x")
}

/// Whether and how text is coloured.
package struct Paint: Sendable {
  package let isOn: Bool

  package init(isOn: Bool) { self.isOn = isOn }

  package static let none = Paint(isOn: false)

  package enum Colour: String, Sendable {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case cyan = "36"
    case boldCyan = "1;36"
  }

  package func callAsFunction(_ colour: Colour, _ text: String) -> String {
    isOn && !text.isEmpty ? "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m" : text
  }
}

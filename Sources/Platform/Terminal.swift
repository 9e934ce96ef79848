// The terminal: whether there is one, how large it is.

import CSys

/// What kind of place a standard stream leads to.
package enum Terminal {
  /// Columns and rows of characters.
  package struct Size: Equatable, Sendable {
    package let columns: Int
    package let rows: Int

    package init(columns: Int, rows: Int) {
      self.columns = columns
      self.rows = rows
    }
  }

  /// Whether `descriptor` (0 to 2: standard input, output, error) is a terminal.
  package static func isTerminal(_ descriptor: CInt) -> Bool { csys_is_terminal(descriptor) == 1 }

  /// The size of the terminal behind `descriptor`; nil when it is none or does not say.
  package static func size(of descriptor: CInt = 1) -> Size? {
    guard let size = Syscalls.windowSize(descriptor), size.columns > 0, size.rows > 0 else { return nil }
    return size
  }
}

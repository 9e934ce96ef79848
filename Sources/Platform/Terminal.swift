// The terminal: whether there is one, how large it is.

import CSys
import Glibc

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
    var columns: CInt = 0
    var rows: CInt = 0
    guard unsafe csys_window_size(descriptor, &columns, &rows) == 0, columns > 0, rows > 0 else {
      return nil
    }
    return Size(columns: Int(columns), rows: Int(rows))
  }
}

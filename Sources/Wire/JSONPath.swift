// Where in a request something stands, as a JSON pointer for error texts.

/// A JSON pointer (RFC 6901) that grows and shrinks with the place in a document. Empty costs nothing.
package struct JSONPath: Equatable, Sendable, CustomStringConvertible {
  /// More bytes of one key than this are cut off: a path is for people.
  static let longestKey = 128

  private(set) var steps: [Step] = []

  enum Step: Equatable, Sendable {
    case key(String)
    case index(Int)
  }

  package init() {}

  package var isEmpty: Bool { steps.isEmpty }

  package mutating func enter(_ key: StaticString) { steps.append(.key("\(key)")) }
  package mutating func enter(_ key: String) { steps.append(.key(key)) }
  package mutating func enter(_ index: Int) { steps.append(.index(index)) }

  package mutating func leave() {
    precondition(!steps.isEmpty, "only what was entered can be left")
    steps.removeLast()
  }

  /// This path with one step more.
  package func appending(_ key: String) -> JSONPath {
    var longer = self
    longer.enter(key)
    return longer
  }

  package func appending(_ index: Int) -> JSONPath {
    var longer = self
    longer.enter(index)
    return longer
  }

  /// `/params/filters/0/field`; `~` and `/` in keys written as `~0` and `~1`.
  package var description: String {
    var text = ""
    for step in steps {
      text += "/"
      switch step {
      case .index(let index): text += String(index)
      case .key(let key):
        for scalar in key.unicodeScalars.prefix(Self.longestKey) {
          switch scalar {
          case "~": text += "~0"
          case "/": text += "~1"
          default: text.unicodeScalars.append(scalar)
          }
        }
      }
    }
    return text
  }
}

extension JSONDocument {
  /// The path of the value or key that stands at `offset` of the line. O(tokens before it): for errors.
  package func path(to offset: Int) -> JSONPath {
    guard let root else { return JSONPath() }
    return root.path(to: offset)
  }
}

extension JSONValue {
  /// The path from this value to the one or the key that stands at `offset` of the line. O(tokens before it).
  package func path(to offset: Int) -> JSONPath {
    var path = JSONPath()
    var value = JSONValue(in: self, at: index)
    while true {
      guard let inner = path.step(into: value, to: offset) else { return path }
      value = inner
    }
  }
}

extension JSONPath {
  /// Enters the member or element of `value` in which `offset` lies; nil when there is none.
  @_lifetime(copy value)
  fileprivate mutating func step(into value: JSONValue, to offset: Int) -> JSONValue? {
    var members = value.members
    while let member = members.next() {
      if (member.key.offset..<member.value.endOffset).contains(offset) {
        enter(member.key.string() ?? "")
        return member.value
      }
    }
    var index = 0
    var elements = value.elements
    while let element = elements.next() {
      if (element.offset..<element.endOffset).contains(offset) {
        enter(index)
        return element
      }
      index += 1
    }
    return nil
  }
}

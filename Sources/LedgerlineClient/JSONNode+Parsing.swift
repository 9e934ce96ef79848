// Text to `JSONNode`, through the project's one JSON reader.

import Wire

extension JSONNode {
  /// Reads one JSON value with nothing but blanks around it. O(bytes).
  package static func parse(_ text: some StringProtocol) throws(JSONFault) -> JSONNode {
    try parse(Array(text.utf8))
  }

  /// Reads one JSON value with nothing but blanks around it. O(bytes).
  package static func parse(_ bytes: [UInt8]) throws(JSONFault) -> JSONNode {
    var reader = JSONNodeReader()
    return try reader.parse(bytes)
  }

  /// The tree of a parsed value.
  fileprivate init(_ value: borrowing JSONValue) {
    switch value.kind {
    case .object:
      var members: [Member] = []
      members.reserveCapacity(value.count)
      var rest = value.members
      while let member = rest.next() {
        members.append(Member(member.key.string() ?? "", JSONNode(member.value)))
      }
      self = .object(members)
    case .array:
      var items: [JSONNode] = []
      items.reserveCapacity(value.count)
      var rest = value.elements
      while let element = rest.next() { items.append(JSONNode(element)) }
      self = .array(items)
    case .string, .key: self = .string(value.string() ?? "")
    case .number: self = .number(value.rawString())
    case .null: self = .null
    case .true: self = .bool(true)
    case .false: self = .bool(false)
    }
  }
}

/// Reads many texts, one after the other, into trees: keeps the reader's memory between them.
package struct JSONNodeReader: ~Copyable {
  private var document = JSONDocument()

  package init() {}

  /// Reads one JSON value with nothing but blanks around it. O(bytes).
  package mutating func parse(_ bytes: [UInt8]) throws(JSONFault) -> JSONNode {
    try document.parse(copying: bytes)
    guard let root = document.root else { return .null }
    return JSONNode(root)
  }
}

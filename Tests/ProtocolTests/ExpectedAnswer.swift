// An answer as a page of the docs shows it, with gaps for what differs from run to run.

import Foundation

/// A JSON value to compare an answer with. Text ending in `…` stands for any text that begins so, `…` alone
/// for any value, and a member named `…` for further members.
indirect enum ExpectedAnswer: Equatable {
  case null
  case flag(Bool)
  case number(Decimal)
  case text(String)
  case list([ExpectedAnswer])
  case object([String: ExpectedAnswer])

  static let gap = "…"

  init(json: String) throws {
    self = try JSONDecoder().decode(ExpectedAnswer.self, from: Data(json.utf8))
  }

  /// Where `actual` differs from what is expected, as a JSON pointer and a reason; nil when it does not.
  func difference(from actual: ExpectedAnswer, at pointer: String = "") -> String? {
    switch (self, actual) {
    case (.text(Self.gap), _):
      return nil
    case (.text(let pattern), .text(let text)) where pattern.hasSuffix(Self.gap):
      return text.hasPrefix(pattern.dropLast())
        ? nil : "\(pointer): \"\(text)\" does not begin as \"\(pattern)\""
    case (.list(let expected), .list(let found)):
      guard expected.count == found.count else {
        return "\(pointer): \(found.count) elements where \(expected.count) are expected"
      }
      return zip(expected, found).enumerated().lazy.compactMap { index, pair in
        pair.0.difference(from: pair.1, at: "\(pointer)/\(index)")
      }.first
    case (.object(let expected), .object(let found)):
      return Self.difference(of: expected, from: found, at: pointer)
    default:
      return self == actual ? nil : "\(pointer): \(actual) where \(self) is expected"
    }
  }

  private static func difference(
    of expected: [String: ExpectedAnswer], from found: [String: ExpectedAnswer], at pointer: String
  ) -> String? {
    for (name, value) in expected.sorted(by: { $0.key < $1.key }) where name != gap {
      guard let member = found[name] else { return "\(pointer)/\(name) is missing" }
      if let difference = value.difference(from: member, at: "\(pointer)/\(name)") { return difference }
    }
    if expected[gap] != nil { return nil }
    let unexpected = found.keys.filter { expected[$0] == nil }.sorted()
    return unexpected.isEmpty ? nil : "\(pointer)/\(unexpected[0]) is not expected"
  }
}

extension ExpectedAnswer: Decodable {
  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let flag = try? container.decode(Bool.self) {
      self = .flag(flag)
    } else if let text = try? container.decode(String.self) {
      self = .text(text)
    } else if let list = try? container.decode([ExpectedAnswer].self) {
      self = .list(list)
    } else if let members = try? container.decode([String: ExpectedAnswer].self) {
      self = .object(members)
    } else {
      self = .number(try container.decode(Decimal.self))
    }
  }
}

// Reading the values of a parsed line without copying them.

/// A value (or key) of a parsed line: which line, which token. The compiler keeps it from outliving the
/// document's current line.
@safe
@usableFromInline
package struct JSONValue: ~Escapable {
  @usableFromInline let tokens: UnsafePointer<JSONToken>
  @usableFromInline let line: UnsafeRawBufferPointer
  /// Index of the token in the line.
  @usableFromInline let index: Int

  @_lifetime(borrow document)
  fileprivate init(rootOf document: borrowing JSONDocument) {
    unsafe tokens = UnsafePointer(document.tape.tokens)
    unsafe line = unsafe document.line
    index = 0
  }

  @inlinable
  @_lifetime(copy value)
  init(in value: JSONValue, at index: Int) {
    unsafe tokens = unsafe value.tokens
    unsafe line = unsafe value.line
    self.index = index
  }

  @inlinable var token: JSONToken { unsafe tokens[index] }

  @inlinable package var kind: JSONKind { @inline(__always) get { token.kind } }
  /// Offset of the value's first byte in the line.
  @inlinable package var offset: Int { Int(token.start) }
  /// Offset after the value's last byte.
  @inlinable package var endOffset: Int { Int(token.end) }

  /// Number of members of an object or elements of an array; 0 for anything else. O(1) below 2^24.
  @inlinable package var count: Int {
    let stored = token.storedCount
    return stored < JSONToken.greatestCount ? Int(stored) : countedByWalking
  }

  /// The value as it was written, quotes included.
  @inlinable package var rawText: Span<UInt8> {
    @_lifetime(copy self) get {
      let token = self.token
      return text(Int(token.start), Int(token.end))
    }
  }

  /// A string's (or key's) bytes between the quotes, escapes as they were written.
  @inlinable package var contents: Span<UInt8> {
    @_lifetime(copy self) get {
      let token = self.token
      precondition(kind == .string || kind == .key, "only strings and keys have contents")
      return text(Int(token.start) + 1, Int(token.end) - 1)
    }
  }

  /// All bytes of the line.
  @inlinable var wholeLine: Span<UInt8> {
    @_lifetime(copy self) get {
      unsafe _overrideLifetime(
        Span(_unsafeElements: line.assumingMemoryBound(to: UInt8.self)), copying: self)
    }
  }

  @inlinable
  @_lifetime(copy self)
  func text(_ start: Int, _ end: Int) -> Span<UInt8> {
    let bytes = unsafe UnsafeRawBufferPointer(rebasing: line[start..<end])
    return unsafe _overrideLifetime(
      Span(_unsafeElements: bytes.assumingMemoryBound(to: UInt8.self)), copying: self)
  }

  /// Whether a string or key has escapes in it.
  @inlinable package var hasEscapes: Bool {
    let token = self.token
    return token.isFlagged && token.kind != .number
  }

  /// Whether this is a number without fraction and exponent. `-0` is one.
  @inlinable package var isInteger: Bool {
    let token = self.token
    return token.kind == .number && !token.isFlagged
  }

  /// The first member of that name. O(members); nil when this is not an object.
  ///
  /// `self["a"]` is for a member or two; a decoder of many goes through `members` once.
  @inlinable
  package subscript(_ name: StaticString) -> JSONValue? {
    @_lifetime(copy self) get {
      guard kind == .object else { return nil }
      let end = Int(token.next)
      var at = index + 1
      while at < end {
        if JSONValue(in: self, at: at).equals(name) { return JSONValue(in: self, at: at + 1) }
        at = unsafe Int(tokens[at + 1].next)
      }
      return nil
    }
  }

  /// The members of an object, in order; none for anything else.
  @inlinable package var members: JSONMembers { @_lifetime(copy self) get { JSONMembers(of: self) } }

  /// The elements of an array, in order; none for anything else.
  @inlinable package var elements: JSONElements { @_lifetime(copy self) get { JSONElements(of: self) } }

  @usableFromInline var countedByWalking: Int {
    var count = 0
    if kind == .object {
      var members = self.members
      while members.next() != nil { count += 1 }
    } else {
      var elements = self.elements
      while elements.next() != nil { count += 1 }
    }
    return count
  }
}

extension JSONDocument {
  /// The outermost value of a line parsed as a copy; nil when there is none that could be read.
  package var root: JSONValue? {
    @_lifetime(borrow self) get {
      precondition(intake == nil, "a line of a decoder is read by root(in:)")
      return isReadable ? JSONValue(rootOf: self) : nil
    }
  }

  /// The outermost value of the latest line, which was parsed where it stands in `lines`; nil when there is
  /// none that could be read. Neither the document nor the decoder can be changed while it is in use.
  @_lifetime(borrow self, borrow lines)
  package func root(in lines: borrowing LineDecoder) -> JSONValue? {
    unsafe precondition(intake == lines.intake && lines.holds(line), "the line was parsed out of these bytes")
    return isReadable ? JSONValue(rootOf: self) : nil
  }

  /// How many tokens the line has.
  package var tokenCount: Int { tape.count }
}

/// A member of an object.
@usableFromInline
package struct JSONMember: ~Escapable {
  @usableFromInline package let key: JSONValue
  @usableFromInline package let value: JSONValue

  @inlinable
  @_lifetime(copy object)
  init(in object: JSONValue, at index: Int) {
    key = JSONValue(in: object, at: index)
    value = JSONValue(in: object, at: index + 1)
  }
}

/// Goes through the members of an object: `while let member = members.next() { … }`.
@usableFromInline
package struct JSONMembers: ~Escapable {
  @usableFromInline let object: JSONValue
  @usableFromInline var at: Int
  @usableFromInline let end: Int

  @inlinable
  @_lifetime(copy value)
  init(of value: JSONValue) {
    object = value
    at = value.index + 1
    end = value.kind == .object ? Int(value.token.next) : 0
  }

  @inlinable
  @_lifetime(copy self)
  package mutating func next() -> JSONMember? {
    if at >= end { return nil }
    let member = JSONMember(in: object, at: at)
    at = Int(member.value.token.next)
    return member
  }
}

/// Goes through the elements of an array: `while let element = elements.next() { … }`.
@usableFromInline
package struct JSONElements: ~Escapable {
  @usableFromInline let array: JSONValue
  @usableFromInline var at: Int
  @usableFromInline let end: Int

  @inlinable
  @_lifetime(copy value)
  init(of value: JSONValue) {
    array = value
    at = value.index + 1
    end = value.kind == .array ? Int(value.token.next) : 0
  }

  @inlinable
  @_lifetime(copy self)
  package mutating func next() -> JSONValue? {
    if at >= end { return nil }
    let element = JSONValue(in: array, at: at)
    at = Int(element.token.next)
    return element
  }
}

// The flat array of tokens that both JSON engines write.

/// Growable raw memory for the tokens of one line, reused from line to line. A fence: its callers keep
/// indices below `count`.
///
/// While a container is open its token's `next` holds the index of the container around it and its `end`
/// the number of members or elements so far, so that nesting needs no stack.
@safe
struct JSONTape: ~Copyable {
  private(set) var tokens: UnsafeMutablePointer<JSONToken>
  private(set) var capacity: Int
  private(set) var count = 0
  /// Index of the innermost open container, meaningless at depth 0.
  private(set) var parent: UInt32 = 0
  private(set) var depth = 0

  static let smallestCapacity = 256

  init() {
    unsafe tokens = .allocate(capacity: Self.smallestCapacity)
    capacity = Self.smallestCapacity
  }

  deinit { unsafe tokens.deallocate() }

  /// Forgets all tokens. The memory stays.
  @inline(__always)
  mutating func removeAll() {
    count = 0
    depth = 0
    parent = 0
  }

  /// Says how many tokens a fence wrote, all containers closed.
  @inline(__always)
  mutating func hold(count: Int) {
    precondition(count <= capacity, "tokens within the room there was")
    self.count = count
  }

  /// Makes room for `needed` tokens in all.
  @inline(__always)
  mutating func reserve(_ needed: Int) {
    if needed > capacity { grow(to: needed) }
  }

  @inline(never)
  private mutating func grow(to needed: Int) {
    let larger = max(needed, capacity * 2)
    let grown = UnsafeMutablePointer<JSONToken>.allocate(capacity: larger)
    unsafe grown.moveInitialize(from: tokens, count: count)
    unsafe tokens.deallocate()
    unsafe tokens = grown
    capacity = larger
  }

  /// Gives memory back when there is room for more than `limit` tokens. Forgets all tokens then.
  mutating func shrink(to limit: Int) {
    guard capacity > limit else { return }
    removeAll()
    unsafe tokens.deallocate()
    unsafe tokens = .allocate(capacity: Self.smallestCapacity)
    capacity = Self.smallestCapacity
  }

  subscript(index: Int) -> JSONToken {
    @inline(__always) get {
      precondition(index >= 0 && index < count, "a token of this line")
      return unsafe tokens[index]
    }
  }

  /// Whether the innermost open container is an object.
  var isInObject: Bool {
    @inline(__always) get { unsafe tokens[Int(parent)].meta & 15 == UInt32(JSONKind.object.rawValue) }
  }

  /// Adds a token. The caller has reserved room for it.
  @inline(__always)
  mutating func appendReserved(_ token: JSONToken) {
    assert(count < capacity, "room was reserved")
    unsafe (tokens + count).initialize(to: token)
    count += 1
  }

  /// Adds a scalar value.
  @inline(__always)
  mutating func scalar(_ kind: JSONKind, from start: Int, to end: Int, flag: Bool = false) {
    countElement()
    let next = UInt32(truncatingIfNeeded: count + 1)
    appendReserved(
      JSONToken(
        start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: end), next: next,
        kind: kind,
        flag: flag))
  }

  /// Adds a member's key.
  @inline(__always)
  mutating func key(from start: Int, to end: Int, flag: Bool) {
    unsafe tokens[Int(parent)].end &+= 1
    appendReserved(
      JSONToken(
        start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: end),
        next: UInt32(truncatingIfNeeded: count + 1), kind: .key, flag: flag))
  }

  /// Opens an object or array.
  @inline(__always)
  mutating func open(_ kind: JSONKind, at start: Int) {
    countElement()
    let index = UInt32(truncatingIfNeeded: count)
    appendReserved(
      JSONToken(start: UInt32(truncatingIfNeeded: start), end: 0, next: parent, kind: kind))
    parent = index
    depth += 1
  }

  /// Closes the innermost container, whose last byte stands before `end`. Answers its token's index.
  @inline(__always)
  mutating func close(at end: Int) -> Int {
    let closed = Int(parent)
    let around = unsafe tokens[closed].next
    let elements = unsafe tokens[closed].end
    unsafe tokens[closed].meta |= min(elements, JSONToken.greatestCount) << 8
    unsafe tokens[closed].end = UInt32(truncatingIfNeeded: end)
    unsafe tokens[closed].next = UInt32(truncatingIfNeeded: count)
    parent = around
    depth -= 1
    return closed
  }

  /// An array's elements are counted as they come; an object's members at their keys.
  @inline(__always)
  private mutating func countElement() {
    guard depth > 0 else { return }
    let isArray = unsafe tokens[Int(parent)].meta & 15 == UInt32(JSONKind.array.rawValue)
    unsafe tokens[Int(parent)].end &+= isArray ? 1 : 0
  }
}

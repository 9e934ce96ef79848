// The faults of one request's params: all that were found, in the order of the line.

/// One thing that is wrong, and where.
struct ParamsFault {
  /// Without the place of the item in a batch, which is put before it when the error is made.
  var text: String
  /// Offset in the line of the value or key that is wrong, or of the object that lacks a member.
  var offset: Int
  /// A member of the object at `offset` that is missing or was never written.
  var member: String?
  var allowed: [String] = []
  var didYouMean: String?
}

/// Collects faults. Empty costs nothing.
struct ParamsFaults {
  /// Texts in one answer; more are counted.
  static let greatestCount = 100
  /// Characters of a value shown in a text.
  static let shownCharacters = 64

  private(set) var faults: [ParamsFault] = []
  private(set) var leftOut = 0

  var isEmpty: Bool { faults.isEmpty }
  /// No more texts are kept: what makes them costly is left out too.
  var isFull: Bool { faults.count >= Self.greatestCount }

  /// Counts a fault whose text is not kept.
  mutating func leaveOut() { leftOut += 1 }

  mutating func add(_ fault: ParamsFault) {
    if faults.count < Self.greatestCount { faults.append(fault) } else { leftOut += 1 }
  }

  mutating func add(_ text: String, at offset: Int, allowed: [String] = [], didYouMean: String? = nil) {
    add(ParamsFault(text: text, offset: offset, allowed: allowed, didYouMean: didYouMean))
  }

  /// `name is required`, in the object at `offset`.
  mutating func addMissing(_ name: String, in offset: Int) {
    add(ParamsFault(text: "\(name) is required", offset: offset, member: name))
  }

  /// The error that says it all. `request` is the object with `params` in it. O(tokens) for each fault.
  func error(in request: JSONValue) -> WireError {
    var texts: [String] = []
    var firstPath = ""
    for (index, fault) in faults.enumerated() {
      var path = request.path(to: fault.offset)
      texts.append(Self.itemPrefix(path) + fault.text)
      if index == 0 {
        if let member = fault.member {
          // Without params the place is that of the method's name.
          if path.steps.first == .key("method") {
            path.leave()
            path.enter("params")
          }
          path.enter(member)
        }
        firstPath = path.description
      }
    }
    let message = texts.first ?? "params are wrong"
    if leftOut > 0 { texts.append("and \(leftOut) more") }
    var members = [WireError.Member("errors", texts: texts), WireError.Member("path", text: firstPath)]
    if let first = faults.first {
      if !first.allowed.isEmpty { members.append(WireError.Member("allowed", texts: first.allowed)) }
      if let meant = first.didYouMean { members.append(WireError.Member("did_you_mean", text: meant)) }
    }
    return WireError(.invalidParams, "GEN_VALIDATION_ERROR", message, members)
  }

  /// `transactions[3]: ` for what stands in an item of a batch.
  private static func itemPrefix(_ path: JSONPath) -> String {
    let steps = path.steps
    guard steps.count >= 3, steps[0] == .key("params"), case .key(let list) = steps[1],
      case .index(let index) = steps[2],
      ["transactions", "balances", "queries"].contains(list)
    else { return "" }
    return "\(list)[\(index)]: "
  }
}

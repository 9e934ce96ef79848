// Lines as requests: the envelope, the method, and its params.

import Ledger
import Platform
import Query

/// Decodes lines, one after another, in memory of its own. One for each event loop.
package struct RequestDecoder: ~Copyable {
  private var document: JSONDocument

  package init(engine: JSONDocument.Engine = .simdjson) {
    document = JSONDocument(engine: engine)
  }

  /// Decodes a line where it stands among the received bytes. O(bytes).
  /// - Parameter line: what `lines.next()` gave last.
  package mutating func decode(_ line: Range<Int>, of lines: borrowing LineDecoder) -> DecodedLine {
    var fault: JSONFault?
    do throws(JSONFault) { try document.parse(line, of: lines) } catch { fault = error }
    guard let root = document.root(in: lines) else {
      return .failure(WireError(fault ?? .notJSON(offset: 0, what: .empty)), id: .null)
    }
    return EnvelopeReader.line(root, fault)
  }

  /// Decodes a copy of a line. O(bytes).
  package mutating func decode(copying line: String) -> DecodedLine {
    var fault: JSONFault?
    do throws(JSONFault) { try document.parse(copying: line) } catch { fault = error }
    guard let root = document.root else {
      return .failure(WireError(fault ?? .notJSON(offset: 0, what: .empty)), id: .null)
    }
    return EnvelopeReader.line(root, fault)
  }

  /// Gives back what a large line needed.
  package mutating func shrink() { document.shrink() }
}

/// Members of a request.
private enum EnvelopeMember: String, NameSet {
  case jsonrpc, id, method, params, key, meta, stream, to, format
  case timeout = "timeout_ms"
  case minimumPosition = "min_position"

  static let table = MemberTable<EnvelopeMember>()
}

/// Finds methods by name.
private enum MethodNames {
  static let table = MemberTable(MethodName.allCases.map { ("\($0.name)", $0) })

  static func notFound(_ name: String) -> WireError {
    let nearest = Suggestion.nearest(
      to: String(name.prefix(ParamsFaults.shownCharacters)), among: MethodName.allCases.map { "\($0.name)" })
    let shown =
      name.count <= ParamsFaults.shownCharacters ? name : name.prefix(ParamsFaults.shownCharacters) + "…"
    return WireError(
      .methodNotFound, "METHOD_NOT_FOUND", "no such method: \(shown)" + UnknownName.hint(nearest),
      nearest.map { [WireError.Member("did_you_mean", text: $0)] } ?? [])
  }
}

private enum EnvelopeReader {
  static func line(_ root: JSONValue, _ fault: JSONFault?) -> DecodedLine {
    if let fault {
      guard let id = root["id"] else { return .failure(WireError(fault), id: .null) }
      return .failure(WireError(fault), id: requestID(id) ?? .null)
    }
    switch root.kind {
    case .object: return .single(request(root))
    case .array:
      if root.count == 0 { return .failure(.invalidRequest("an empty batch"), id: .null) }
      var requests: [DecodedRequest] = []
      requests.reserveCapacity(root.count)
      var elements = root.elements
      while let element = elements.next() { requests.append(request(element)) }
      return .batch(requests)
    case .string, .number, .true, .false, .null, .key:
      return .failure(notAnObject(root), id: .null)
    }
  }

  private static func notAnObject(_ value: JSONValue) -> WireError {
    .invalidRequest("a request must be an object, found \(ParamsReader.shown(value))")
  }

  private static func requestID(_ value: JSONValue) -> RequestID? {
    switch value.kind {
    case .string, .number: RequestID(json: value.rawString())
    case .null: .null
    case .object, .array, .true, .false, .key: nil
    }
  }

  static func request(_ root: JSONValue) -> DecodedRequest {
    guard root.kind == .object else {
      return DecodedRequest(id: .null, call: .failure(notAnObject(root)))
    }
    var request = DecodedRequest(id: nil, call: .failure(.invalidRequest("method is required")))
    var reader = ParamsReader()
    var places = EnvelopePlaces()
    var members = root.members
    while let member = members.next() {
      guard let name = EnvelopeMember.table[member.key] else { continue }
      switch name {
      case .jsonrpc:
        if !member.value.equals("2.0") {
          places.fault = "jsonrpc must be \"2.0\", found \(ParamsReader.shown(member.value))"
        }
      case .id:
        request.id = requestID(member.value) ?? .null
        if requestID(member.value) == nil {
          places.fault = "id must be a string, a number or null, found \(ParamsReader.shown(member.value))"
        }
      case .method: places.method = member.value.index
      case .params: places.params = member.value.index
      case .timeout, .key, .minimumPosition, .meta, .stream, .to, .format:
        reader.read(name, member.value, into: &request)
      }
    }
    if let fault = places.fault { return invalid(request, fault) }
    guard let method = places.method else { return invalid(request, "method is required") }
    let methodName = JSONValue(in: root, at: method)
    guard methodName.kind == .string else {
      return invalid(request, "method must be a string, found \(ParamsReader.shown(methodName))")
    }
    guard let known = MethodNames.table[methodName] else {
      request.call = .failure(MethodNames.notFound(methodName.string() ?? ""))
      return request
    }
    request.method = known
    request.call = reader.call(
      known, JSONValue(in: root, at: places.params ?? method), root,
      hasParams: places.params != nil, &request)
    return request
  }

  /// What is no request at all is answered, even without an id.
  private static func invalid(_ request: DecodedRequest, _ message: String) -> DecodedRequest {
    var request = request
    request.id = request.id ?? .null
    request.call = .failure(.invalidRequest(message))
    return request
  }
}

/// Where the members stand that can only be read when all are known, as indexes of tokens.
private struct EnvelopePlaces {
  var method: Int?
  var params: Int?
  var fault: String?
}

extension ParamsReader {
  /// Reads what may stand beside `params` or in `params._meta`.
  fileprivate mutating func read(
    _ name: EnvelopeMember, _ value: JSONValue, into request: inout DecodedRequest
  ) {
    switch name {
    case .timeout:
      if let milliseconds = integer(value, "timeout_ms", 1...Int64(WireLimit.timeoutMilliseconds)) {
        request.timeout = .milliseconds(milliseconds)
      }
    case .key: request.key = text(value, "key", limit: WireLimit.keyBytes) ?? request.key
    case .minimumPosition:
      if let position = integer(value, "min_position", 0...Int64.max) {
        request.minimumPosition = UInt64(position)
      }
    case .meta: request.wantsMeta = boolean(value, "meta") ?? request.wantsMeta
    case .stream: request.wantsStream = boolean(value, "stream") ?? request.wantsStream
    case .to:
      if !value.equals("fd") {
        faults.add("to must be \"fd\", found \(Self.shown(value))", at: value.offset, allowed: ["fd"])
      }
      request.output = request.output ?? .ndjson
    case .format:
      if let format = value.string().flatMap(RowFormat.init) {
        request.output = format
        return
      }
      let allowed = RowFormat.allCases.map(\.rawValue)
      faults.add(
        "format must be \(allowed.joined(separator: " or ")), found \(Self.shown(value))", at: value.offset,
        allowed: allowed)
    case .jsonrpc, .id, .method, .params: break
    }
  }

  /// What does not go together in the envelope. `asked` is `request` with the rows of a stream.
  private mutating func checkOutput(
    _ method: MethodName, _ params: JSONValue, _ root: JSONValue, _ request: DecodedRequest
  ) {
    if request.output == nil { return }
    let place = offset(of: "to", params, root)
    if place == root.offset {
      faults.add("format goes with \"to\": \"fd\"", at: offset(of: "format", params, root))
    } else if !method.givesLines {
      faults.add("to is only for methods that list, filter or aggregate", at: place)
    } else if request.wantsStream {
      faults.add("to and stream exclude each other", at: place)
    }
  }

  /// The call of a known method, or every fault of its params.
  /// - Parameter params: when there are none, any value without members.
  fileprivate mutating func call(
    _ method: MethodName, _ params: JSONValue, _ root: JSONValue, hasParams: Bool,
    _ request: inout DecodedRequest
  ) -> Result<Call, WireError> {
    var call: Call?
    if params.kind == .object, let meta = params["_meta"] { readMeta(meta, into: &request) }
    if !hasParams || params.kind == .null || params.kind == .object
      || params.kind == .array && params.count == 0
    {
      // Rows for a descriptor have no limit either.
      var asked = request
      if request.output != nil { asked.wantsStream = true }
      call = self.call(method, params, asked)
    } else {
      wrong(params, "params", "an object")
    }
    if request.wantsStream, !method.givesRows {
      faults.add("stream is only for methods that give rows", at: offset(of: "stream", params, root))
    }
    checkOutput(method, params, root, request)
    if request.key != nil, !method.isWrite {
      faults.add("key is only for methods that change the books", at: offset(of: "key", params, root))
    }
    if let call, faults.isEmpty { return .success(call) }
    return .failure(faults.error(in: root))
  }

  /// Where a member of the envelope stands, beside `params` or in `_meta`.
  private func offset(of name: StaticString, _ params: JSONValue, _ root: JSONValue) -> Int {
    if let member = root[name] { return member.offset }
    if let meta = params["_meta"], let member = meta[name] { return member.offset }
    return root.offset
  }

  private mutating func readMeta(_ meta: JSONValue, into request: inout DecodedRequest) {
    if meta.kind == .null { return }
    guard meta.kind == .object else {
      wrong(meta, "_meta", "an object")
      return
    }
    var members = meta.members
    while let member = members.next() {
      if let name = EnvelopeMember.table[member.key] { read(name, member.value, into: &request) }
    }
  }
}

// What a line of a client asks for, decoded: the types between the decoder and the server.

import Ledger
import Platform
import Query

/// An id of a request, as raw JSON text: a string, a number as it was written, or `null`. Answers echo it.
package struct RequestID: Hashable, Sendable {
  package let json: String

  /// - Parameter json: the JSON text of a string, a number or null.
  package init(json: String) { self.json = json }

  package static let null = RequestID(json: "null")
}

/// One request, its envelope read; what it asks for, or why it cannot be done.
package struct DecodedRequest: Sendable {
  /// Nil for a notification: carried out, never answered.
  package var id: RequestID?
  /// For statistics; nil when there is no such method.
  package var method: MethodName?
  package var timeout: Duration?
  /// Idempotency key of a write, 1 to 128 bytes.
  package var key: String?
  /// A read waits until this journal position is visible.
  package var minimumPosition: UInt64?
  /// The answer bears the journal position.
  package var wantsMeta: Bool
  /// Rows come as notifications, then the answer with their count. Only queries can.
  package var wantsStream: Bool
  /// Rows go as lines of this format into a descriptor that came with the request; only their count is
  /// answered.
  package var output: RowFormat?
  /// That descriptor, once it was found.
  package var descriptor: PassedDescriptor?
  package var call: Result<Call, WireError>

  package init(
    id: RequestID?, method: MethodName? = nil, timeout: Duration? = nil, key: String? = nil,
    minimumPosition: UInt64? = nil, wantsMeta: Bool = false, wantsStream: Bool = false,
    call: Result<Call, WireError>
  ) {
    self.id = id
    self.method = method
    self.timeout = timeout
    self.key = key
    self.minimumPosition = minimumPosition
    self.wantsMeta = wantsMeta
    self.wantsStream = wantsStream
    self.call = call
  }
}

/// How rows are written into a descriptor.
package enum RowFormat: String, Sendable, CaseIterable {
  /// Comma-separated values by RFC 4180, but for lines that end with `\n` alone, below a line of names.
  case csv
  /// A JSON object a line.
  case ndjson
}

/// What one line holds.
package enum DecodedLine: Sendable {
  case single(DecodedRequest)
  /// Never empty; answered by one array.
  case batch([DecodedRequest])
  /// No request could be read: one error is the answer, under this id.
  case failure(WireError, id: RequestID)
}

/// What a request asks for.
package enum Call: Sendable {
  case server(ServerCall)
  /// For `Books.execute`. Indirect, as is `query`: large values would be copied from hand to hand.
  indirect case write(Command, WriteReply)
  /// One row by key.
  case read(ReadCall)
  /// Needs a cut; may be streamed.
  indirect case query(QueryRequest, QueryReply)
  /// Groups, several questions at once, or how one is answered.
  indirect case question(QuestionCall)
  /// Facts by position.
  case changes(ChangesCall)
}

/// The questions of one `balances.query`.
package struct QuestionBatch: Sendable {
  /// One of them, with what its answer shall look like.
  package struct Member: Sendable {
    /// As the client calls it.
    package var name: String?
    package var question: Question
    package var reply: QueryReply
  }

  package var members: [Member]
  /// Tell of each how it was answered.
  package var explains: Bool
}

/// What is wanted of the change stream.
package enum ChangesCall: Sendable {
  case read(from: UInt64, limit: Int)
  /// From what comes next when there is no position.
  case subscribe(from: UInt64?)
}

/// What the server answers from itself.
package enum ServerCall: Sendable {
  case ping, info, stats, metrics, discover
  /// Stops the request with that id on this connection, or on another one.
  case cancel(RequestID, connection: UInt64?)
  case createSnapshot(wait: Bool)
  case listSnapshots
}

/// One row, wanted by its key.
package enum ReadCall: Sendable {
  case ledger(Identifier)
  case identity(Identifier)
  case balance(Identifier, includeIdentity: Bool, includeLedger: Bool)
  case balanceByIndicator(String, currency: String)
  case transaction(Identifier)
  case transactionByReference(String)
}

/// How a write is answered.
package struct WriteReply: Sendable {
  /// What `create_many` says of each transaction.
  package enum ItemReply: Sendable {
    /// Only of those that were refused.
    case none
    case ids
    case full
  }

  package var method: MethodName
  package var itemReply: ItemReply
  /// XXH3 of method and params, computed only for requests with a key: the content of an `IdempotencyKey`.
  package var paramsDigest: UInt64

  package init(method: MethodName, itemReply: ItemReply = .ids, paramsDigest: UInt64 = 0) {
    self.method = method
    self.itemReply = itemReply
    self.paramsDigest = paramsDigest
  }
}

/// How the rows of a query are answered.
package struct QueryReply: Sendable {
  package enum Shape: Sendable {
    /// `[…]`
    case array
    /// `{"data":[…]}` with `total_count`, `next_cursor` or both.
    case object(count: Bool, cursor: Bool)
  }

  /// The members wanted of each row; nil for all.
  package var fields: MemberSelection?
  package var shape: Shape

  package init(fields: MemberSelection? = nil, shape: Shape = .array) {
    self.fields = fields
    self.shape = shape
  }
}

/// Members of an entity's object, one bit each, in the order of the object.
package struct MemberSelection: Sendable, Hashable {
  package var bits: UInt32

  package init(bits: UInt32) { self.bits = bits }

  package static let all = MemberSelection(bits: .max)

  @inlinable package func contains(_ member: Int) -> Bool { bits >> UInt32(member) & 1 != 0 }
}

extension WriteReply {
  /// The member of the params that holds the items of a batch; nil for commands that are not batches.
  package var items: String? {
    switch method {
    case .transactionsCreateMany: "transactions"
    case .balancesCreateMany: "balances"
    default: nil
    }
  }
}

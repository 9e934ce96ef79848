// Each method's params as its call.

import Ledger
import Platform
import Query

extension MethodName {
  /// Whether `stream` makes sense.
  package var givesRows: Bool {
    switch self {
    case .ledgersList, .ledgersFilter, .identitiesList, .identitiesFilter, .balancesList, .balancesFilter,
      .transactionsList, .transactionsFilter, .changesRead:
      true
    default: false
    }
  }
}

extension MethodName {
  /// Whether its rows can go into a descriptor.
  package var givesLines: Bool {
    switch self {
    case .changesRead: false
    case .balancesAggregate, .transactionsAggregate: true
    default: givesRows
    }
  }
}

extension ParamsReader {
  /// The call, nil when there are faults. `params` without members stands for none.
  mutating func call(_ method: MethodName, _ params: JSONValue, _ request: DecodedRequest) -> Call? {
    switch method {
    case .serverPing, .serverInfo, .serverStats, .serverMetrics, .serverCancel, .snapshotsCreate,
      .snapshotsList, .discover:
      return serverCall(method, params).map { .server($0) }
    case .ledgersGet, .identitiesGet, .balancesGet, .balancesGetByIndicator, .transactionsGet,
      .transactionsGetByReference:
      return readCall(method, params).map { .read($0) }
    case .ledgersList: return list(params, .ledgers, isStream: request.wantsStream)
    case .ledgersFilter: return filter(params, .ledgers, isStream: request.wantsStream)
    case .identitiesList: return list(params, .identities, isStream: request.wantsStream)
    case .identitiesFilter: return filter(params, .identities, isStream: request.wantsStream)
    case .balancesList: return list(params, .balances, isStream: request.wantsStream)
    case .balancesFilter: return filter(params, .balances, isStream: request.wantsStream)
    case .transactionsList: return list(params, .transactions, isStream: request.wantsStream)
    case .transactionsFilter: return filter(params, .transactions, isStream: request.wantsStream)
    case .balancesAggregate: return aggregate(params, .balances).map { .question(.groups($0)) }
    case .transactionsAggregate: return aggregate(params, .transactions).map { .question(.groups($0)) }
    case .balancesQuery: return questions(params).map { .question(.batch($0)) }
    case .balancesExplain: return question(params).map { .question(.explanation($0.question)) }
    case .changesRead: return changesRead(params, isStream: request.wantsStream).map { .changes($0) }
    case .changesSubscribe: return changesSubscribe(params).map { .changes($0) }
    case .ledgersCreate, .ledgersUpdate, .identitiesCreate, .identitiesUpdate, .identitiesDelete,
      .metadataUpdate, .balancesCreate, .balancesCreateMany, .balancesUpdateIdentity, .transactionsCreate,
      .transactionsCreateMany:
      var reply = WriteReply(method: method)
      if method == .transactionsCreate {
        // The busiest method, without a copy of the transaction from hand to hand.
        var transaction = NewTransaction.blank
        guard self.transaction(params, into: &transaction) else { return nil }
        if request.key != nil { reply.paramsDigest = Self.digest(method, params) }
        return .write(.postTransaction(transaction), reply)
      }
      guard let command = command(method, params, &reply) else { return nil }
      if request.key != nil { reply.paramsDigest = Self.digest(method, params) }
      return .write(command, reply)
    }
  }

  /// XXH3 of the method and of each param as it was written, `_meta` left out.
  private static func digest(_ method: MethodName, _ params: JSONValue) -> UInt64 {
    var digest = UInt64(method.rawValue)
    var members = params.members
    while let member = members.next() {
      if member.key.equals("_meta") { continue }
      digest = Checksum.xxh3(member.key.rawText, seed: digest)
      digest = Checksum.xxh3(member.value.rawText, seed: digest)
    }
    return digest
  }

  private mutating func serverCall(_ method: MethodName, _ params: JSONValue) -> ServerCall? {
    switch method {
    case .serverCancel:
      let found = simple(params, method, required: [.id], optional: [.connection])
      return found.request.map { .cancel($0, connection: found.connection) }
    case .snapshotsCreate:
      return .createSnapshot(wait: simple(params, method, optional: [.wait]).waits ?? false)
    default: _ = simple(params, method)
    }
    switch method {
    case .serverInfo: return .info
    case .serverStats: return .stats
    case .serverMetrics: return .metrics
    case .snapshotsList: return .listSnapshots
    case .discover: return .discover
    default: return .ping
    }
  }

  private mutating func readCall(_ method: MethodName, _ params: JSONValue) -> ReadCall? {
    switch method {
    case .ledgersGet:
      return simple(params, method, required: [.ledgerID]).ledger.map { .ledger($0) }
    case .identitiesGet:
      return simple(params, method, required: [.identityID]).identity.map { .identity($0) }
    case .balancesGet:
      let found = simple(params, method, required: [.balanceID], optional: [.include, .at])
      return found.balance.map {
        .balance($0, includeIdentity: found.includesIdentity, includeLedger: found.includesLedger)
      }
    case .balancesGetByIndicator:
      let found = simple(params, method, required: [.indicator, .currency])
      guard let indicator = found.indicator, let currency = found.currency else { return nil }
      return .balanceByIndicator(indicator, currency: currency)
    case .transactionsGet:
      return simple(params, method, required: [.transactionID]).transaction.map { .transaction($0) }
    default:
      return simple(params, method, required: [.reference]).reference.map { .transactionByReference($0) }
    }
  }

  private mutating func command(
    _ method: MethodName, _ params: JSONValue, _ reply: inout WriteReply
  ) -> Command? {
    switch method {
    case .transactionsCreate: preconditionFailure("transactions.create is read by call")
    case .transactionsCreateMany: return transactionBatch(params, &reply)
    case .balancesCreate: return balance(params).map { .createBalance($0) }
    case .balancesCreateMany: return balanceBatch(params)
    case .identitiesCreate: return newIdentity(params)
    case .identitiesUpdate: return identityUpdate(params)
    case .ledgersCreate:
      let found = simple(params, method, required: [.name], optional: [.ledgerID, .metadata, .createdAt])
      return found.name.map {
        .createLedger(
          NewLedger(
            identifier: found.ledger, name: $0, metadata: found.metadata ?? [], createdAt: found.createdAt))
      }
    default: return changeOfOne(method, params)
    }
  }

  private mutating func changeOfOne(_ method: MethodName, _ params: JSONValue) -> Command? {
    switch method {
    case .ledgersUpdate:
      let found = simple(params, method, required: [.ledgerID, .name])
      guard let ledger = found.ledger, let name = found.name else { return nil }
      return .updateLedger(ledger, name: name)
    case .identitiesDelete:
      return simple(params, method, required: [.identityID]).identity.map { .deleteIdentity($0) }
    case .balancesUpdateIdentity:
      let found = simple(params, method, required: [.balanceID, .identityID])
      guard let balance = found.balance, let identity = found.identity else { return nil }
      return .setBalanceIdentity(balance: balance, identity: identity)
    default:
      let found = simple(params, method, required: [.id, .metadata])
      guard let (kind, identifier) = found.entity, let patch = found.patch else { return nil }
      return .updateMetadata(kind, identifier) { current throws(Refusal) in try patch.merged(into: current) }
    }
  }
}

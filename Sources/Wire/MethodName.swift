// The methods of this version, resolved once from their names.

/// A method. Raw values number statistics.
package enum MethodName: UInt8, CaseIterable, Sendable {
  case serverPing, serverInfo, serverStats, serverMetrics, serverCancel
  case snapshotsCreate, snapshotsList
  case discover
  case ledgersCreate, ledgersGet, ledgersList, ledgersFilter, ledgersUpdate
  case identitiesCreate, identitiesGet, identitiesList, identitiesFilter, identitiesUpdate, identitiesDelete
  case metadataUpdate
  case balancesCreate, balancesCreateMany, balancesGet, balancesGetByIndicator, balancesUpdateIdentity
  case balancesList, balancesFilter, balancesAggregate, balancesQuery, balancesExplain
  case transactionsCreate, transactionsCreateMany, transactionsGet, transactionsGetByReference
  case transactionsList, transactionsFilter, transactionsAggregate
  case changesRead, changesSubscribe

  /// Its name on the wire.
  package var name: StaticString {
    switch self {
    case .serverPing: "server.ping"
    case .serverInfo: "server.info"
    case .serverStats: "server.stats"
    case .serverMetrics: "server.metrics"
    case .serverCancel: "server.cancel"
    case .snapshotsCreate: "snapshots.create"
    case .snapshotsList: "snapshots.list"
    case .discover: "rpc.discover"
    case .ledgersCreate: "ledgers.create"
    case .ledgersGet: "ledgers.get"
    case .ledgersList: "ledgers.list"
    case .ledgersFilter: "ledgers.filter"
    case .ledgersUpdate: "ledgers.update"
    case .identitiesCreate: "identities.create"
    case .identitiesGet: "identities.get"
    case .identitiesList: "identities.list"
    case .identitiesFilter: "identities.filter"
    case .identitiesUpdate: "identities.update"
    case .identitiesDelete: "identities.delete"
    case .metadataUpdate: "metadata.update"
    case .balancesCreate: "balances.create"
    case .balancesCreateMany: "balances.create_many"
    case .balancesGet: "balances.get"
    case .balancesGetByIndicator: "balances.get_by_indicator"
    case .balancesUpdateIdentity: "balances.update_identity"
    case .balancesList: "balances.list"
    case .balancesFilter: "balances.filter"
    case .balancesAggregate: "balances.aggregate"
    case .balancesQuery: "balances.query"
    case .balancesExplain: "balances.explain"
    case .transactionsCreate: "transactions.create"
    case .transactionsCreateMany: "transactions.create_many"
    case .transactionsGet: "transactions.get"
    case .transactionsGetByReference: "transactions.get_by_reference"
    case .transactionsList: "transactions.list"
    case .transactionsFilter: "transactions.filter"
    case .transactionsAggregate: "transactions.aggregate"
    case .changesRead: "changes.read"
    case .changesSubscribe: "changes.subscribe"
    }
  }
}

extension MethodName {
  /// Whether it changes the books: it may bear a `key`, and later a `dry_run`.
  package var isWrite: Bool {
    switch self {
    case .ledgersCreate, .ledgersUpdate, .identitiesCreate, .identitiesUpdate, .identitiesDelete,
      .metadataUpdate, .balancesCreate, .balancesCreateMany, .balancesUpdateIdentity, .transactionsCreate,
      .transactionsCreateMany:
      true
    case .serverPing, .serverInfo, .serverStats, .serverMetrics, .serverCancel, .snapshotsCreate,
      .snapshotsList, .discover, .ledgersGet, .ledgersList, .ledgersFilter, .identitiesGet, .identitiesList,
      .identitiesFilter, .balancesGet, .balancesGetByIndicator, .balancesList, .balancesFilter,
      .balancesAggregate, .balancesQuery, .balancesExplain, .transactionsGet, .transactionsGetByReference,
      .transactionsList, .transactionsFilter, .transactionsAggregate,
      .changesRead, .changesSubscribe:
      false
    }
  }
}

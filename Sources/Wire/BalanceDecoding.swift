// Params that make balances, or name one.

import Ledger
import Platform

/// Members of a balance that is asked for.
enum BalanceMember: String, NameSet {
  case balanceID = "balance_id"
  case ledgerID = "ledger_id"
  case identityID = "identity_id"
  case indicator, currency
  case currencyMultiplier = "currency_multiplier"
  case tracksFundLineage = "track_fund_lineage"
  case allocationStrategy = "allocation_strategy"
  case createdAt = "created_at"
  case metadata = "meta_data"
  // Of later versions.
  case dryRun = "dry_run"

  static let table = MemberTable<BalanceMember>()
  static let supported = allCases.prefix(10).map(\.rawValue)
}

/// Members of a batch of balances.
enum BalanceBatchMember: String, NameSet {
  case balances, atomic
  // Of later versions.
  case dryRun = "dry_run"

  static let table = MemberTable<BalanceBatchMember>()
  static let supported = allCases.prefix(2).map(\.rawValue)
}

extension ParamsReader {
  /// A balance, nil if something is wrong with it. O(bytes).
  mutating func balance(_ object: JSONValue) -> NewBalance? {
    var balance = NewBalance(ledger: .generalLedger, currency: "")
    var hasLedger = false
    var hasCurrency = false
    var ledger: Identifier?
    var indicatorOffset = object.offset
    var lineageOffset = object.offset
    let names = BalanceMember.table
    var members = object.members
    while let member = members.next() {
      let value = member.value
      switch names[member.key] {
      case .balanceID: balance.identifier = identifier(value, "balance_id", .balance)
      case .ledgerID:
        hasLedger = value.kind != .null
        ledger = identifier(value, "ledger_id", .ledger)
      case .identityID: balance.identity = identifier(value, "identity_id", .identity)
      case .indicator:
        indicatorOffset = value.offset
        balance.indicator = indicator(value, "indicator")
      case .currency:
        hasCurrency = value.kind != .null
        balance.currency = currency(value) ?? ""
      case .tracksFundLineage:
        lineageOffset = value.offset
        balance.tracksFundLineage = boolean(value, "track_fund_lineage") ?? false
      case .currencyMultiplier, .allocationStrategy, .createdAt, .metadata:
        readOptional(member.key, value, into: &balance)
      case .dryRun: unsupported(value, "dry_run")
      case nil: unknown(member.key, allowed: BalanceMember.supported)
      }
    }
    if !hasLedger { faults.addMissing("ledger_id", in: object.offset) }
    if !hasCurrency { faults.addMissing("currency", in: object.offset) }
    if balance.tracksFundLineage && balance.identity == nil {
      faults.add("identity_id is required when track_fund_lineage is true", at: lineageOffset)
    }
    if let ledger { balance.ledger = ledger }
    if balance.indicator != nil, let ledger, ledger != .generalLedger {
      faults.add("indicator is only for balances of general_ledger_id", at: indicatorOffset)
    }
    return faults.isEmpty ? balance : nil
  }

  private mutating func readOptional(_ key: JSONValue, _ value: JSONValue, into balance: inout NewBalance) {
    switch BalanceMember.table[key] {
    case .currencyMultiplier:
      balance.currencyMultiplier = integer(value, "currency_multiplier", 1...Int64.max) ?? 1
    case .allocationStrategy: balance.allocationStrategy = allocationStrategy(value) ?? .fifo
    case .createdAt: balance.createdAt = time(value, "created_at")
    default: balance.metadata = metadata(value) ?? []
    }
  }

  private mutating func allocationStrategy(_ value: JSONValue) -> AllocationStrategy? {
    if value.kind == .null { return nil }
    let name = value.string()?.uppercased()
    if let strategy = AllocationStrategy.allCases.first(where: { "\($0.name)" == name }) { return strategy }
    let allowed = AllocationStrategy.allCases.map { "\($0.name)" }
    faults.add(
      "allocation_strategy must be one of: FIFO, LIFO, PROPORTIONAL, found \(Self.shown(value))",
      at: value.offset, allowed: allowed)
    return nil
  }

  /// The command of `balances.create_many`, nil if something is wrong.
  mutating func balanceBatch(_ params: JSONValue) -> Command? {
    var balances: [NewBalance]?
    var isAtomic = true
    var members = params.members
    while let member = members.next() {
      switch BalanceBatchMember.table[member.key] {
      case .balances: balances = self.balances(member.value)
      case .atomic: isAtomic = boolean(member.value, "atomic") ?? true
      case .dryRun: unsupported(member.value, "dry_run")
      case nil: unknown(member.key, allowed: BalanceBatchMember.supported)
      }
    }
    guard let balances else {
      faults.addMissing("balances", in: params.offset)
      return nil
    }
    return faults.isEmpty ? .createBalances(balances, atomic: isAtomic) : nil
  }

  /// Nil for null only; what is wrong is left out and noted.
  private mutating func balances(_ list: JSONValue) -> [NewBalance]? {
    guard let count = entryCount(list, "balances") else { return list.kind == .null ? nil : [] }
    var balances: [NewBalance] = []
    balances.reserveCapacity(count)
    var elements = list.elements
    while let element = elements.next() {
      if element.kind != .object {
        faults.add("a balance must be an object, found \(Self.shown(element))", at: element.offset)
      } else if let balance = balance(element) {
        balances.append(balance)
      }
    }
    return balances
  }
}

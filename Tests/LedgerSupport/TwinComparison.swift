// The books and the naive books, compared row by row.

import Amounts
import Columns
import Ledger
import Platform

extension NaiveBooks {
  /// What a cut sees otherwise than these books: every balance, transaction, ledger and identity.
  package func differences(from cut: Cut) -> [String] {
    balanceDifferences(cut) + transactionDifferences(cut) + entityDifferences(cut)
  }

  private func balanceDifferences(_ cut: Cut) -> [String] {
    if cut.balanceCount != balances.count {
      return ["\(cut.balanceCount) balances, expected \(balances.count)"]
    }
    let books = cut.books
    return balances.enumerated().compactMap { index, expected in
      let row = RowIndex(index)
      let image = cut.balance(row)
      let found = NaiveBooks.Balance(
        ledger: Int(books.balances.ledgers[row]),
        currency: books.currencies.text(of: books.balances.currencies[row]) ?? "",
        indicator: books.indicators.text(of: books.balances.indicators[row]),
        identity: image.identity?.index, metadata: image.metadata,
        createdAt: Microseconds(books.balances.createdAt[row]), credit: image.credit, debit: image.debit,
        version: image.version)
      return found == expected && image.balance == expected.balance ? nil : "balance \(index)"
    }
  }

  private func transactionDifferences(_ cut: Cut) -> [String] {
    if cut.transactionCount != transactions.count {
      return ["\(cut.transactionCount) transactions, expected \(transactions.count)"]
    }
    let table = cut.books.transactions
    return transactions.enumerated().compactMap { index, expected in
      let row = RowIndex(index)
      let detail = table.detail(row)
      let isEqual =
        table.amount(row) == expected.request.amount && table.source(row).index == expected.source
        && table.destination(row).index == expected.destination
        && detail.reference == expected.request.reference
        && detail.description == expected.request.description
        && detail.effectiveDate == expected.request.effectiveDate
        && detail.overdraftLimit == expected.request.overdraftLimit
        && table.precisions[row] == expected.request.precision
        && table.allowsOverdraft(row) == expected.request.allowOverdraft
        && table.metadataBytes(row, cut: cut.epoch) == expected.metadata
      return isEqual ? nil : "transaction \(index)"
    }
  }

  private func entityDifferences(_ cut: Cut) -> [String] {
    if cut.ledgerCount != ledgers.count || cut.identityCount != identities.count {
      return ["\(cut.ledgerCount) ledgers and \(cut.identityCount) identities"]
    }
    let books = cut.books
    let wrongLedgers = ledgers.enumerated().compactMap { index, expected -> String? in
      let found = unsafe books.ledgers.record(RowIndex(index), cut: cut.epoch).map {
        unsafe EntityRecord($0, fieldCount: 1)
      }
      let wanted = EntityRecord(fields: [expected.name], metadata: expected.metadata)
      return found == wanted ? nil : "ledger \(index)"
    }
    let wrongIdentities = identities.enumerated().compactMap { index, expected -> String? in
      let found = unsafe books.identities.record(RowIndex(index), cut: cut.epoch).map {
        unsafe EntityRecord($0, fieldCount: IdentityField.allCases.count)
      }
      let wanted =
        expected.isDeleted ? nil : EntityRecord(fields: expected.fields, metadata: expected.metadata)
      return found == wanted ? nil : "identity \(index)"
    }
    return wrongLedgers + wrongIdentities
  }
}

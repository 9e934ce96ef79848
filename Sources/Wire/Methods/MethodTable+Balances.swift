// Descriptions of the methods of balances and transactions.

import Ledger
import Query

extension MethodTable {
  static let balanceMethods: [MethodDescription] =
    [
      MethodDescription(
        .balancesCreate, "Makes a balance: what a ledger holds in one currency.", params: balanceParams,
        result: .balance,
        errors: [
          .noLedger, .noIdentity,
          .conflict("BAL_DUPLICATE", "balance_id, or indicator and currency, is taken"),
        ],
        example:
          #"{"balance_id":"bln_ann_usd","ledger_id":"ldg_customers","currency":"USD","identity_id":"idt_ann"}"#
      ),
      MethodDescription(
        .balancesCreateMany, "Makes many balances, all or none unless `atomic` is false.",
        params: [
          ParamDescription(
            "balances", .array(of: .component("NewBalance", "new balance"), minimum: 1), required: true,
            "Each as the params of balances.create; up to the line limit."),
          ParamDescription(
            "atomic", .boolean, "true by default. When false, a refused one is null in balance_ids."),
        ],
        result: ValueSchema(
          "{created, balance_ids, errors?}",
          #"{"type":"object","properties":{"created":{"type":"integer"},"balance_ids":{"type":"array"}}}"#),
        errors: [.noLedger, .noIdentity, .conflict("BAL_DUPLICATE", "an id or an indicator is taken")],
        example:
          #"{"balances":[{"balance_id":"bln_bob_usd","ledger_id":"ldg_customers","currency":"USD"},"#
          + #"{"balance_id":"bln_bob_eur","ledger_id":"ldg_customers","currency":"EUR"}]}"#),
      MethodDescription(
        .balancesGet, "One balance.",
        params: [
          ParamDescription("balance_id", .balanceID, required: true, "Which."),
          ParamDescription(
            "include", .array(of: .oneOf(["identity", "ledger"])), "What to add to the object, beside its id."
          ),
        ],
        result: .balance, errors: [.noBalance],
        example: #"{"balance_id":"bln_ann_usd","include":["identity"]}"#,
        after: [
          (
            .transactionsCreate,
            #"{"source":"@World","destination":"bln_ann_usd","currency":"USD","precise_amount":100000,"#
              + #""reference":"opening","allow_overdraft":true}"#
          )
        ]),
      MethodDescription(
        .balancesGetByIndicator, "The balance that an indicator stands for in a currency.",
        params: [
          ParamDescription("indicator", .indicator, required: true, "Such as @World."),
          ParamDescription("currency", .currency, required: true, "Its currency."),
        ],
        result: .balance, errors: [.noBalance], example: #"{"indicator":"@World","currency":"USD"}"#),
      MethodDescription(
        .balancesUpdateIdentity, "Gives a balance to an identity.",
        params: [
          ParamDescription("balance_id", .balanceID, required: true, "Which."),
          ParamDescription("identity_id", .identityID, required: true, "Whose it becomes."),
        ],
        result: .balance, errors: [.noBalance, .noIdentity],
        example: #"{"balance_id":"bln_bob_usd","identity_id":"idt_ann"}"#),
      list(
        .balancesList, .balances, .balance,
        example: #"{"currency_eq":"USD","ledger_id_in":"ldg_customers,ldg_shops","limit":2}"#),
      filter(
        .balancesFilter, .balances, .balance,
        example:
          #"{"filters":[{"field":"balance","operator":"gte","value":"100000"}],"sort_by":"balance","#
          + #""include_count":true,"fields":["balance_id","currency","balance"]}"#),
    ] + balanceReports

  private static let balanceParams = [
    ParamDescription("ledger_id", .ledgerID, required: true, "The ledger it belongs to."),
    ParamDescription("currency", .currency, required: true, "1 to 32 bytes without blanks."),
    ParamDescription("balance_id", .balanceID, "Chosen by the caller; made here when absent."),
    ParamDescription("identity_id", .identityID, "Whose it is."),
    ParamDescription("indicator", .indicator, "A name in general_ledger_id, unique with the currency."),
    ParamDescription("currency_multiplier", .integer(1...Int64.max), "Minor units in a unit; 1 by default."),
    ParamDescription("track_fund_lineage", .boolean, "false by default; needs identity_id."),
    ParamDescription("allocation_strategy", .oneOf(["FIFO", "LIFO", "PROPORTIONAL"]), "FIFO by default."),
    ParamDescription("created_at", .time, "For imports; now when absent."), metadataParam,
  ]

  static let transactionMethods: [MethodDescription] = [
    MethodDescription(
      .transactionsCreate, "Moves an amount from one balance to another, at once.", params: transactionParams,
      result: .transaction, errors: postingErrors,
      example:
        #"{"transaction_id":"txn_salary","source":"@World","destination":"bln_ann_usd","currency":"USD","#
        + #""amount":"1250.50","precision":100,"reference":"salary-2025-01","allow_overdraft":true}"#),
    MethodDescription(
      .transactionsCreateMany, "Makes many transactions, in order.",
      params: [
        ParamDescription(
          "transactions", .array(of: .component("NewTransaction", "new transaction"), minimum: 1),
          required: true,
          "Each as the params of transactions.create. At most 10,000 when atomic, else up to the line limit."),
        ParamDescription("atomic", .boolean, "All or none, and nobody sees a part; false by default."),
        ParamDescription(
          "return", .oneOf(["none", "ids", "full"]),
          "What `results` says of those that stand; ids by default. Refused ones are always there."),
      ],
      result: ValueSchema(
        "{batch_id, created, results}",
        #"{"type":"object","properties":{"batch_id":{"type":"string"},"created":{"type":"integer"},"#
          + #""results":{"type":"array"}}}"#),
      errors: postingErrors,
      example:
        #"{"atomic":true,"transactions":[{"transaction_id":"txn_rent","source":"bln_ann_usd","#
        + #""destination":"bln_bob_usd","currency":"USD","precise_amount":"70000","reference":"rent-1"},"#
        + #"{"transaction_id":"txn_food","source":"bln_ann_usd","destination":"@Market","currency":"USD","#
        + #""precise_amount":1999,"reference":"food-1"}]}"#),
    MethodDescription(
      .transactionsGet, "One transaction.",
      params: [ParamDescription("transaction_id", .transactionID, required: true, "Which.")],
      result: .transaction, errors: [.noTransaction], example: #"{"transaction_id":"txn_rent"}"#),
    MethodDescription(
      .transactionsGetByReference, "The transaction that a reference stands for.",
      params: [
        ParamDescription("reference", .text(WireLimit.referenceBytes), required: true, "As it was given.")
      ],
      result: .transaction, errors: [.noTransaction], example: #"{"reference":"food-1"}"#),
    list(
      .transactionsList, .transactions, .transaction,
      example: #"{"source_eq":"bln_ann_usd","limit":1,"cursor":null,"fields":["transaction_id","amount"]}"#),
    filter(
      .transactionsFilter, .transactions, .transaction,
      example:
        #"{"filters":[{"field":"balance_id","operator":"eq","value":"bln_bob_usd"},"#
        + #"{"field":"precise_amount","operator":"between","values":["1","100000"]}]}"#),
    aggregate(
      .transactionsAggregate, .transactions,
      example:
        #"{"group_by":["created_at:day","currency"],"metrics":["count","sum:precise_amount"],"#
        + #""filters":[{"field":"status","operator":"eq","value":"APPLIED"}]}"#),
  ]

  private static let transactionParams = [
    ParamDescription("source", .party, required: true, "What is debited. An @indicator is made on the fly."),
    ParamDescription("destination", .party, required: true, "What is credited; not the source."),
    ParamDescription("currency", .currency, required: true, "That of both balances."),
    ParamDescription(
      "reference", .text(WireLimit.referenceBytes), required: true,
      "Unique: used again with the same content it answers with the first transaction, `replayed`."),
    ParamDescription("precise_amount", .amount, "Minor units, more than 0. This or `amount`."),
    ParamDescription("amount", .decimal, "Units, times `precision`, rounded half away from zero."),
    ParamDescription("precision", .integer(1...Int64.max), "Minor units in a unit; 1 by default."),
    ParamDescription("description", .anyText(WireLimit.descriptionBytes), "Text."),
    ParamDescription("allow_overdraft", .boolean, "The source may go below zero; false by default."),
    ParamDescription(
      "overdraft_limit", .decimal, "How far below zero, in units; allows overdraft by itself."),
    ParamDescription("effective_date", .time, "When it counts, if not when it is made."),
    ParamDescription("transaction_id", .transactionID, "Chosen by the caller; made here when absent."),
    metadataParam,
  ]

  private static let postingErrors: [ErrorDescription] = [
    .noBalance, .conflict("TXN_DUPLICATE_REFERENCE", "the reference stands for other content"),
    .conflict("TXN_DUPLICATE", "transaction_id is taken"),
    .refused("CURRENCY_MISMATCH", "a balance is in another currency"),
    .refused("TXN_INSUFFICIENT_FUNDS", "the source has too little"),
    .refused("TXN_OVERDRAFT_EXCEEDED", "the limit would be passed"),
  ]
}

// Results of the methods' examples, written by a test: see docs/methods.md.

package enum MethodExampleResults {
  package static let all: [MethodName: String] = [
    .serverPing:
      #""pong""#,
    .ledgersCreate:
      #"{"ledger_id":"ldg_customers","name":"Customers","created_at":"2025-01-01T00:00:00Z","meta_data":{"region":"EU"}}"#,
    .ledgersGet:
      #"{"ledger_id":"ldg_customers","name":"Customers","created_at":"2025-01-01T00:00:00Z","meta_data":{"region":"EU"}}"#,
    .ledgersList:
      #"[{"ledger_id":"ldg_customers","name":"Customers","created_at":"2025-01-01T00:00:00Z","meta_data":{"region":"EU"}}]"#,
    .ledgersFilter:
      #"[{"ledger_id":"ldg_customers","name":"Customers"}]"#,
    .ledgersUpdate:
      #"{"ledger_id":"ldg_customers","name":"Customers in Europe","created_at":"2025-01-01T00:00:00Z","meta_data":{"region":"EU"}}"#,
    .identitiesCreate:
      #"{"identity_id":"idt_ann","identity_type":"individual","first_name":"Ann","last_name":"Okoro","other_names":null,"gender":null,"dob":null,"email_address":null,"phone_number":null,"nationality":null,"organization_name":null,"category":null,"street":null,"country":null,"state":null,"post_code":null,"city":null,"created_at":"2025-01-01T00:00:00Z","meta_data":{}}"#,
    .identitiesGet:
      #"{"identity_id":"idt_ann","identity_type":"individual","first_name":"Ann","last_name":"Okoro","other_names":null,"gender":null,"dob":null,"email_address":null,"phone_number":null,"nationality":null,"organization_name":null,"category":null,"street":null,"country":null,"state":null,"post_code":null,"city":null,"created_at":"2025-01-01T00:00:00Z","meta_data":{}}"#,
    .identitiesList:
      #"{"data":[{"identity_id":"idt_ann","identity_type":"individual","first_name":"Ann","last_name":"Okoro","other_names":null,"gender":null,"dob":null,"email_address":null,"phone_number":null,"nationality":null,"organization_name":null,"category":null,"street":null,"country":null,"state":null,"post_code":null,"city":null,"created_at":"2025-01-01T00:00:00Z","meta_data":{}}],"total_count":1}"#,
    .identitiesFilter:
      #"[{"identity_id":"idt_ann"}]"#,
    .identitiesUpdate:
      #"{"identity_id":"idt_ann","identity_type":"individual","first_name":null,"last_name":"Okoro","other_names":null,"gender":null,"dob":null,"email_address":null,"phone_number":null,"nationality":null,"organization_name":null,"category":null,"street":null,"country":null,"state":null,"post_code":null,"city":"Lagos","created_at":"2025-01-01T00:00:00Z","meta_data":{}}"#,
    .identitiesDelete:
      #"{"identity_id":"idt_gone","deleted":true}"#,
    .metadataUpdate:
      #"{"meta_data":{"tier":"gold"}}"#,
    .balancesCreate:
      #"{"balance_id":"bln_ann_usd","ledger_id":"ldg_customers","identity_id":"idt_ann","indicator":null,"currency":"USD","balance":"0","credit_balance":"0","debit_balance":"0","inflight_balance":"0","inflight_credit_balance":"0","inflight_debit_balance":"0","currency_multiplier":1,"version":1,"track_fund_lineage":false,"allocation_strategy":"FIFO","created_at":"2025-01-01T00:00:00Z","meta_data":{}}"#,
    .balancesCreateMany:
      #"{"created":2,"balance_ids":["bln_bob_usd","bln_bob_eur"]}"#,
    .balancesGet:
      #"{"balance_id":"bln_ann_usd","ledger_id":"ldg_customers","identity_id":"idt_ann","indicator":null,"currency":"USD","balance":"100000","credit_balance":"100000","debit_balance":"0","inflight_balance":"0","inflight_credit_balance":"0","inflight_debit_balance":"0","currency_multiplier":1,"version":2,"track_fund_lineage":false,"allocation_strategy":"FIFO","created_at":"2025-01-01T00:00:00Z","meta_data":{},"identity":{"identity_id":"idt_ann","identity_type":"individual","first_name":null,"last_name":"Okoro","other_names":null,"gender":null,"dob":null,"email_address":null,"phone_number":null,"nationality":null,"organization_name":null,"category":null,"street":null,"country":null,"state":null,"post_code":null,"city":"Lagos","created_at":"2025-01-01T00:00:00Z","meta_data":{}}}"#,
    .balancesGetByIndicator:
      #"{"balance_id":"bln_01941f29-7c00-7003-8000-006003030c06","ledger_id":"general_ledger_id","identity_id":null,"indicator":"@World","currency":"USD","balance":"-100000","credit_balance":"0","debit_balance":"100000","inflight_balance":"0","inflight_credit_balance":"0","inflight_debit_balance":"0","currency_multiplier":1,"version":2,"track_fund_lineage":false,"allocation_strategy":"FIFO","created_at":"2025-01-01T00:00:00Z","meta_data":{}}"#,
    .balancesUpdateIdentity:
      #"{"balance_id":"bln_bob_usd","ledger_id":"ldg_customers","identity_id":"idt_ann","indicator":null,"currency":"USD","balance":"0","credit_balance":"0","debit_balance":"0","inflight_balance":"0","inflight_credit_balance":"0","inflight_debit_balance":"0","currency_multiplier":1,"version":1,"track_fund_lineage":false,"allocation_strategy":"FIFO","created_at":"2025-01-01T00:00:00Z","meta_data":{}}"#,
    .balancesList:
      #"[{"balance_id":"bln_bob_usd","ledger_id":"ldg_customers","identity_id":"idt_ann","indicator":null,"currency":"USD","balance":"0","credit_balance":"0","debit_balance":"0","inflight_balance":"0","inflight_credit_balance":"0","inflight_debit_balance":"0","currency_multiplier":1,"version":1,"track_fund_lineage":false,"allocation_strategy":"FIFO","created_at":"2025-01-01T00:00:00Z","meta_data":{}},{"balance_id":"bln_ann_usd","ledger_id":"ldg_customers","identity_id":"idt_ann","indicator":null,"currency":"USD","balance":"100000","credit_balance":"100000","debit_balance":"0","inflight_balance":"0","inflight_credit_balance":"0","inflight_debit_balance":"0","currency_multiplier":1,"version":2,"track_fund_lineage":false,"allocation_strategy":"FIFO","created_at":"2025-01-01T00:00:00Z","meta_data":{}}]"#,
    .balancesFilter:
      #"{"data":[{"balance_id":"bln_ann_usd","currency":"USD","balance":"100000"}],"total_count":1}"#,
    .transactionsCreate:
      #"{"transaction_id":"txn_salary","parent_transaction":null,"source":"bln_01941f29-7c00-7003-8000-006003030c06","destination":"bln_ann_usd","reference":"salary-2025-01","currency":"USD","precise_amount":"125050","amount":"1250.5","precision":100,"status":"APPLIED","inflight":false,"description":null,"allow_overdraft":true,"overdraft_limit":null,"effective_date":null,"created_at":"2025-01-01T00:00:00Z","scheduled_for":null,"inflight_expiry_date":null,"position":15,"hash":null,"meta_data":{}}"#,
    .transactionsCreateMany:
      #"{"batch_id":"bulk_01941f29-7c00-7003-8000-00605159f3aa","created":2,"results":[{"transaction_id":"txn_rent"},{"transaction_id":"txn_food"}]}"#,
    .transactionsGet:
      #"{"transaction_id":"txn_rent","parent_transaction":"bulk_01941f29-7c00-7003-8000-00605159f3aa","source":"bln_ann_usd","destination":"bln_bob_usd","reference":"rent-1","currency":"USD","precise_amount":"70000","amount":"70000","precision":1,"status":"APPLIED","inflight":false,"description":null,"allow_overdraft":false,"overdraft_limit":null,"effective_date":null,"created_at":"2025-01-01T00:00:00Z","scheduled_for":null,"inflight_expiry_date":null,"position":17,"hash":null,"meta_data":{}}"#,
    .transactionsGetByReference:
      #"{"transaction_id":"txn_food","parent_transaction":"bulk_01941f29-7c00-7003-8000-00605159f3aa","source":"bln_ann_usd","destination":"bln_01941f29-7c00-7003-8000-006165867bf5","reference":"food-1","currency":"USD","precise_amount":"1999","amount":"1999","precision":1,"status":"APPLIED","inflight":false,"description":null,"allow_overdraft":false,"overdraft_limit":null,"effective_date":null,"created_at":"2025-01-01T00:00:00Z","scheduled_for":null,"inflight_expiry_date":null,"position":18,"hash":null,"meta_data":{}}"#,
    .transactionsList:
      #"{"data":[{"transaction_id":"txn_food","amount":"1999"}],"next_cursor":"AbjiuiRVDoXZAwAAAAEAYAy6mSoGABkmraE"}"#,
    .transactionsFilter:
      #"[{"transaction_id":"txn_rent","parent_transaction":"bulk_01941f29-7c00-7003-8000-00605159f3aa","source":"bln_ann_usd","destination":"bln_bob_usd","reference":"rent-1","currency":"USD","precise_amount":"70000","amount":"70000","precision":1,"status":"APPLIED","inflight":false,"description":null,"allow_overdraft":false,"overdraft_limit":null,"effective_date":null,"created_at":"2025-01-01T00:00:00Z","scheduled_for":null,"inflight_expiry_date":null,"position":17,"hash":null,"meta_data":{}}]"#,
  ]
}

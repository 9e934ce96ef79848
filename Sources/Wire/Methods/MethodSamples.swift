// Answers of the methods that tell about a server, as examples: their members are those of every answer.

enum MethodSamples {
  static let info =
    #"{"name":"ledgerline","version":"0.1.0","protocol":"1","connection":1,"started_at":"2025-01-01T00:00:00Z","#
    + #""process_id":4711,"data_directory":"/srv/books","socket":"/srv/books/ledgerline.sock","#
    + #""durability":"always","snapshot_every":"5m","position":1,"limits":{"line_bytes":16777216,"#
    + #""connections":10000,"unfinished_requests":1024,"queued_queries":1024,"#
    + #""passed_descriptors":256,"event_loops":1,"query_threads":1},"#
    + #""counts":{"ledgers":1,"identities":0,"balances":0,"transactions":0},"#
    + #""journal":{"state":"running","reason":null,"direct":true,"#
    + #""segments":1,"bytes":1048576,"min_free_bytes":33554432},"#
    + #""recovery":{"loaded":null,"replayed_facts":0,"torn_bytes":0,"fell_back":false,"faults":[]}}"#

  static let stats =
    #"{"methods":{"server.info":{"count":1,"errors":0,"p50_us":15.8,"p99_us":15.8,"p999_us":15.8,"max_us":15.8}},"#
    + #""queues":{"queued_queries":0,"running_queries":0,"unanswered_requests":0,"unfinished_line_bytes":0,"#
    + #""connections":1,"subscriptions":0,"busy":0},"#
    + #""queries":{"running":0,"waiting":0,"cancelled":0,"pages":0,"#
    + #""streams":0,"deliveries":0,"delivered_bytes":0,"descriptors":0,"by_path":{}},"#
    + #""memory":{"allocated_bytes":29039840,"#
    + #""resident_bytes":32567296,"#
    + #""balances_bytes":16384,"transactions_bytes":16384,"records_bytes":24},"#
    + #""journal":{"state":"running","position":1,"committed_position":1,"written_position":1,"#
    + #""durable_position":1,"lag":0,"pending_bytes":0,"groups":1,"syncs":1,"commit_p50_us":114.688,"#
    + #""commit_p99_us":114.688,"commit_max_us":112.4,"record_bytes":98,"written_bytes":8192,"segments":1,"#
    + #""segment_bytes":1048576,"free_bytes":5238784,"snapshot_position":0,"since_snapshot":1},"#
    + #""cuts":{"held":0,"retained_bytes":0,"newest_age_us":null},"shard_rows":[0,0,0]}"#

  static let metrics =
    ##""# HELP ledgerline_connections Open connections.\n# TYPE ledgerline_connections gauge\n"##
    + ##"ledgerline_connections 1\n""##

  static let snapshot =
    #"{"name":"snapshot-1","position":1,"created_at":"2025-01-01T00:00:00Z","bytes":1070,"ledgers":1,"#
    + #""identities":0,"balances":0,"transactions":0}"#

  static let changes =
    #"{"changes":[{"position":1,"time":"2025-01-01T00:00:00Z","type":"ledger.created","object":"#
    + #"{"ledger_id":"general_ledger_id","name":"General Ledger","created_at":"2025-01-01T00:00:00Z","#
    + #""meta_data":{}},"end_of_command":true}],"next_position":2,"committed_position":1}"#

  static let discovery =
    #"{"openrpc":"1.3.2","info":{"title":"Ledgerline","description":"…","version":"1.0.0"},"methods":[],"#
    + #""components":{"schemas":{}}}"#
}

// Descriptions of aggregates, of batches of questions, and of explanations.

import Query

extension MethodTable {
  static let balanceReports: [MethodDescription] = [
    aggregate(
      .balancesAggregate, .balances,
      example:
        #"{"group_by":["currency"],"metrics":["count","sum:balance","avg:balance","max:credit_balance"],"#
        + #""having":[{"metric":"count","operator":"gt","value":1}],"sort_by":"sum:balance"}"#),
    MethodDescription(
      .balancesQuery, "Answers many questions of one moment in one pass.",
      params: [
        ParamDescription(
          "queries", .array(of: .object.named("query"), minimum: 1, maximum: WireLimit.questions),
          required: true,
          "Each as the params of balances.filter or balances.aggregate, and `name` (comes back with the "
            + "result), `method` (`filter` or `aggregate`; without it aggregate if there are `metrics`), "
            + "`table` (`balances` by default, or `transactions`). At most \(WireLimit.questions), and "
            + "\(WireLimit.batchRows) rows together."),
        ParamDescription("explain", .boolean, "Tell of each how it was answered, as balances.explain does."),
      ],
      result: ValueSchema(
        "{results: [{name?, result, explain?}]}",
        #"{"type":"object","required":["results"],"properties":{"results":{"type":"array","items":"#
          + #"{"type":"object","required":["result"],"properties":{"name":{"type":"string"},"result":{},"#
          + #""explain":{"type":"object"}}}}}}"#),
      errors: [tooManyGroups],
      example:
        #"{"queries":[{"name":"euros","filters":[{"field":"currency","operator":"eq","value":"EUR"}],"#
        + #""fields":["balance_id","balance"]},"#
        + #"{"name":"all","metrics":["count","sum:credit_balance"],"group_by":["currency"]}]}"#),
    MethodDescription(
      .balancesExplain, "Carries a question out and says how it was answered, without the answer.",
      params: questionParams,
      result: ValueSchema(
        "{plan, actual, steps, row_count, total_count?}",
        #"{"type":"object","required":["plan","actual","steps","row_count"],"properties":{"#
          + #""plan":{"type":"object"},"actual":{"type":"object"},"steps":{"type":"array"},"#
          + #""row_count":{"type":"integer"},"total_count":{"type":"integer"}}}"#),
      errors: [tooManyGroups],
      example: #"{"filters":[{"field":"currency","operator":"eq","value":"USD"}],"include_count":true}"#,
      sample:
        #"{"plan":{"path":"newest","count_path":"scan","estimates":{"rows":6,"matches":null,"ns":2002},"#
        + #""tests":["currency one of 1 codes"]},"actual":{"rows_scanned":6,"rows_matched":3,"#
        + #""rows_touched":0,"chunks_pruned":0,"fell_through":false,"instant":false},"#
        + #""steps":[{"name":"find","ns":1830}],"row_count":3,"total_count":3}"#),
  ]

  private static let tooManyGroups = ErrorDescription(
    code: .invalidParams, dataCode: "GEN_VALIDATION_ERROR",
    text: "group_by gives more than \(AggregateRequest.groupLimit) groups")

  /// The description of an aggregate method.
  static func aggregate(
    _ method: MethodName, _ table: QueryTable, example: String
  ) -> MethodDescription {
    MethodDescription(
      method, "Groups of the rows that fit a filter, with counts, sums, extremes and averages.",
      params: filterParams + aggregateParams(table),
      result: ValueSchema(
        "array of objects: the group columns, then the metrics",
        #"{"type":"array","items":{"type":"object"}}"#),
      errors: [tooManyGroups], example: example)
  }

  private static let filterParams = [
    ParamDescription(
      "filters", .array(of: .component("Filter", "filter"), maximum: WireLimit.filters),
      "Conditions on rows, as for balances.filter; none by default."),
    ParamDescription(
      "logical_operator", .oneOf(["and", "or"]), "How conditions are combined; and by default."),
  ]

  private static func aggregateParams(_ table: QueryTable) -> [ParamDescription] {
    let columns = GroupColumn.all(in: table).map(\.name)
    let metrics = Metric.all(in: table).map(\.name)
    return [
      ParamDescription(
        "group_by",
        .array(of: .oneOf(columns).named("column"), maximum: AggregateRequest.groupColumnLimit),
        "\(columns.joined(separator: ", ")). Without it all rows are one group. At most "
          + "\(AggregateRequest.groupLimit) groups."),
      ParamDescription(
        "metrics", .array(of: .oneOf(metrics).named("metric"), minimum: 1, maximum: WireLimit.metrics),
        required: true,
        "count, or sum, min, max, avg and a field: \(metrics.dropFirst().joined(separator: ", "))."),
      ParamDescription(
        "having", .array(of: .object.named("condition"), maximum: WireLimit.filters),
        "Conditions `{metric, operator, value | values}` on metrics that are asked for; all must hold."),
      ParamDescription(
        "sort_by", ValueSchema("metric or column", #"{"type":"string"}"#),
        "One of metrics or group_by. Ties, and all without it, by the group columns, ascending."),
      ParamDescription("sort_order", .oneOf(["asc", "desc"]), "With sort_by desc by default, else asc."),
      ParamDescription(
        "limit", .integer(1...Int64(WireLimit.groups)), "Groups at most; all by default."),
    ]
  }

  /// What `balances.explain` takes: everything of filter and aggregate.
  private static var questionParams: [ParamDescription] {
    let list = filter(.balancesFilter, .balances, .balance, example: "{}").params
    let own = aggregateParams(.balances).filter { param in !list.contains { $0.name == param.name } }
    return list.map { param in
      param.name == "filters" ? filterParams[0] : param
    } + own.map { ParamDescription($0.name, $0.schema, $0.text) } + [
      ParamDescription(
        "method", .oneOf(["filter", "aggregate"]), "Aggregate by default if there are metrics."),
      ParamDescription("table", .oneOf(["balances", "transactions"]), "balances by default."),
    ]
  }
}

// Descriptions of the methods of the change stream.

extension MethodTable {
  static let changeMethods: [MethodDescription] = [
    MethodDescription(
      .changesRead, "What has happened to the books, fact by fact, from a journal position on.",
      params: [
        ParamDescription(
          "from_position", .integer(1...Int64.max), required: true, "The first change wanted."),
        ParamDescription(
          "limit", .integer(1...Int64(WireLimit.pageRows)),
          "Changes in the answer, at most; \(WireLimit.defaultChanges) by default. With `stream` any number, "
            + "and all that are committed when it is absent."),
      ],
      result: ValueSchema(
        "{changes, next_position, committed_position}",
        ##"{"type":"object","properties":{"changes":{"type":"array","items":"##
          + ##"{"$ref":"#/components/schemas/Change"}},"next_position":{"type":"integer"},"##
          + ##""committed_position":{"type":"integer"}}}"##),
      errors: [notKept], example: #"{"from_position":1,"limit":1}"#, sample: MethodSamples.changes),
    MethodDescription(
      .changesSubscribe,
      "Has every change sent as a notification `changes`, from a position on, until server.cancel or hang-up.",
      params: [
        ParamDescription(
          "from_position", .integer(1...Int64.max),
          "The first change wanted; what is committed after the call when absent.")
      ],
      result: ValueSchema(
        "{subscription, from_position, committed_position}",
        #"{"type":"object","properties":{"subscription":{},"from_position":{"type":"integer"},"#
          + #""committed_position":{"type":"integer"}}}"#),
      errors: [notKept], sample: #"{"subscription":1,"from_position":2,"committed_position":1}"#),
  ]

  private static let notKept = ErrorDescription(
    code: .notFound, dataCode: "CHANGES_NOT_KEPT", text: "older than `oldest_position`, the oldest kept")

  /// The schema of a change.
  static let change =
    ##"{"type":"object","required":["position","time","type","object","end_of_command"],"properties":{"##
    + ##""position":{"type":"integer","minimum":1},"time":{"$ref":"#/components/schemas/Time"},"##
    + #""type":{"type":"string"},"object":{"type":"object"},"end_of_command":{"type":"boolean"}}}"#
}

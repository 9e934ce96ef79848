// `ledgerline version`: what this program is.

import LedgerlineClient
import Wire

enum VersionCommand {
  static let subcommand = Subcommand(
    name: "version", summary: "Print the version of this program.", options: [.json]
  ) { options, console in
    try options.atMost(0)
    if options.has("json") {
      let node = JSONNode.object([
        .init("name", .string("ledgerline")), .init("version", .string(Program.version)),
        .init("simdjson", .string(JSONDocument.simdjsonVersion)),
      ])
      try console.print(node.text)
    } else {
      try console.print("ledgerline \(Program.version)")
    }
    return .ok
  }
}

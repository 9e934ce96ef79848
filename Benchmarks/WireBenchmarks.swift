// Decoding of requests and rendering of answers, in process: nanoseconds an item, a digest of the result.

import Amounts
import Columns
import Ledger
import Platform
import Query
import Wire

/// What one line costs before and after the books.
enum WireBenchmarks {
  private static func transaction(_ number: Int) -> String {
    let tail = String(100_000_000_000 + number)
    let source = "bln_01941f29-7c00-7000-8000-\(tail)"
    let destination = "bln_01941f29-7c00-7a00-9000-\(tail)"
    return #"{"source":"\#(source)","destination":"\#(destination)","currency":"USD","#
      + #""precise_amount":"\#(1000 + number)","reference":"order-2025-01-\#(tail)"}"#
  }

  static func run(_ scale: Scale) throws {
    let measure = Measure(samples: scale(200))
    decodeOne(measure)
    decodeBatch(measure)
    try render(measure)
  }

  private static func decodeOne(_ measure: Measure) {
    var lines = LineDecoder()
    var decoder = RequestDecoder()
    let count = 1000
    var text: [UInt8] = []
    for number in 0..<count {
      text.append(
        contentsOf: #"{"id":\#(number),"method":"transactions.create","params":\#(transaction(number))}"#.utf8
      )
      text.append(UInt8(ascii: "\n"))
    }
    measure("decode transactions.create, pipelined, \(text.count / count) bytes", items: count) {
      lines.append(text)
      var digest: UInt64 = 0
      while case .line(let range) = lines.next() {
        if case .single(let request) = decoder.decode(range, of: lines),
          case .success(.write(.postTransaction(let new), _)) = request.call
        {
          digest = digest &* 31 &+ UInt64(new.reference.utf8.count) &+ UInt64(new.amount.int64 ?? 0)
        }
      }
      return digest
    }
  }

  private static func decodeBatch(_ measure: Measure) {
    var lines = LineDecoder()
    var decoder = RequestDecoder()
    let count = 8000
    let items = (0..<count).map(transaction).joined(separator: ",")
    let text =
      Array(#"{"id":1,"method":"transactions.create_many","params":{"transactions":[\#(items)]}}"#.utf8) + [
        10
      ]
    measure("decode create_many of \(count), each", items: count) {
      lines.append(text)
      guard case .line(let range) = lines.next(),
        case .single(let request) = decoder.decode(range, of: lines),
        case .success(.write(.postTransactions(let all, _), _)) = request.call
      else { return 0 }
      return UInt64(all.count)
    }
  }

  private static func render(_ measure: Measure) throws {
    let books = Books(clock: SystemClock(), seed: (1, 2))
    let ledger = NewLedger(identifier: .uuid(high: 0x1941_F297_C007_001, low: 1 << 63), name: "Main")
    let identity = NewIdentity(
      identifier: .uuid(high: 0x1941_F297_C007_000, low: 1 << 63),
      fields: Array(repeating: nil, count: IdentityField.allCases.count))
    let count = 500
    _ = try books.execute(.createLedger(ledger))
    _ = try books.execute(.createIdentity(identity))
    let balances = (0..<count).map { _ in
      NewBalance(
        ledger: ledger.identifier ?? .generalLedger, currency: "USD", identity: identity.identifier)
    }
    _ = try books.execute(.createBalances(balances, atomic: true))
    var writer = JSONWriter(capacity: 1 << 20)
    let cut = books.cut()
    let result = QueryResult(rows: (0..<count).map { RowIndex($0) })
    measure("render balances of a cut, each", items: count) {
      writer.removeAll()
      AnswerWriter.page(
        result, of: .balances, QueryReply(), RequestID(json: "1"), cut: cut, into: &writer)
      return UInt64(writer.count)
    }
    measure("render balances one by one, each", items: count) {
      writer.removeAll()
      for row in 0..<count {
        AnswerWriter.read(
          .balance(books.balances.identifiers[RowIndex(row)], includeIdentity: false, includeLedger: false),
          .current(books), RequestID(json: "1"), into: &writer)
      }
      return UInt64(writer.count)
    }
  }
}

/// Runs and prints measurements.
private struct Measure {
  let samples: Int

  /// The least time of the runs of `body`, in nanoseconds for each of `items`.
  func callAsFunction(_ name: String, items: Int, _ body: () -> UInt64) {
    let clock = SystemClock()
    var least = Int64.max
    var digest: UInt64 = 0
    for _ in 0..<samples {
      let start = clock.monotonicTime()
      digest = body()
      least = min(least, (clock.monotonicTime() - start).wholeNanoseconds)
    }
    print("\(name): \(Double(least) / Double(items)) ns, digest \(digest)")
  }
}

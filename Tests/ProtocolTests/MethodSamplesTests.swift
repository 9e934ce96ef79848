// The samples of the method table against the answers of a real server: the same members, of the same kinds.

import Foundation
import LedgerlineClient
import Platform
import TestSupport
import Testing
import Wire

@Suite struct MethodSamplesTests {
  /// Where the two differ in members or kinds, as a JSON pointer; nil if nowhere. Null fits any kind, and an
  /// empty list or object any other.
  private func difference(_ sample: Any, _ answer: Any, at pointer: String = "") -> String? {
    switch (sample, answer) {
    case (is NSNull, _), (_, is NSNull), (is String, is String), (is NSNumber, is NSNumber): return nil
    case (let sample as [Any], let answer as [Any]):
      guard let first = sample.first, let found = answer.first else { return nil }
      return difference(first, found, at: pointer + "/0")
    case (let sample as [String: Any], let answer as [String: Any]):
      if sample.isEmpty { return nil }
      // Its members are named by the methods that were called.
      let isOpen = pointer == "/methods"
      if !isOpen, let name = Set(sample.keys).symmetricDifference(answer.keys).first {
        return "\(pointer)/\(name) is in one only"
      }
      for (name, value) in sample {
        guard let found = answer[name] else { return "\(pointer)/\(name) is missing" }
        if let difference = difference(value, found, at: "\(pointer)/\(name)") { return difference }
      }
      return nil
    default: return "\(pointer) is of another kind"
    }
  }

  @Test func samplesAreAsTheServerAnswers() throws {
    let server = try TestServer()
    let client = try server.connect()
    var count = 0
    for method in MethodTable.all {
      guard let sample = method.sample else { continue }
      count += 1
      let request = #"{"id":1,"method":"\#(method.method.name)","params":\#(method.example)}"# + "\n"
      try client.send(Array(request.utf8))
      let line = try #require(try client.line())
      let answer = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      let expected = try JSONSerialization.jsonObject(with: Data(sample.utf8), options: .fragmentsAllowed)
      let found = try #require(answer?["result"], "\(method.method.name): \(line.prefix(200))")
      #expect(difference(expected, found) == nil, "\(method.method.name): \(line.prefix(500))")
    }
    #expect(count == 10)
    server.stop()
  }
  @Test func latenciesAreMeasuredByTheServersClock() throws {
    let server = try TestServer(clock: ManualClock())
    let client = try server.connect()
    #expect(try client.call("server.ping")["result"]?.string == "pong")
    let ping = try client.call("server.stats")["result"]?["methods"]?["server.ping"]
    #expect(ping?["count"]?.int == 1)
    let longest = try #require(ping?["max_us"].flatMap { Double($0.text) })
    #expect(longest < 1, "a clock that stands measures nothing")
    server.stop()
  }
}

// Options out of argv, and the names they might have meant.

import Testing
import Wire

@testable import Commands

private let specifications = [
  OptionSpecification("socket", value: .required("PATH"), help: ""),
  OptionSpecification("pretty", short: "p", help: ""),
  OptionSpecification("timeout", value: .required("MS"), help: ""),
]

@Test func optionsTakeTheirValueBehindAnEqualsSignOrABlank() throws {
  let options = try CommandOptions(
    ["--socket=/a=b", "get", "--timeout", "5", "-p", "-", "--", "--socket"], specifications)
  #expect(options.value("socket") == "/a=b")
  #expect(try options.number("timeout", in: 1...10, default: 3) == 5)
  #expect(options.has("pretty"))
  #expect(options.arguments == ["get", "-", "--socket"])
}

@Test func wrongOptionsAreNamedWithWhatWasMeant() {
  func fault(_ words: [String]) -> OptionError? {
    do {
      _ = try CommandOptions(words, specifications)
      return nil
    } catch { return error }
  }
  #expect(fault(["--sokcet", "x"]) == .unknown(option: "--sokcet", meant: "socket"))
  #expect(fault(["-x"]) == .unknown(option: "-x", meant: nil))
  #expect(fault(["--timeout"]) == .missingValue(option: "timeout", placeholder: "MS"))
  #expect(fault(["--pretty=1"]) == .unexpectedValue(option: "pretty"))
  #expect(fault(["--sokcet", "x"])?.text == "unknown option --sokcet; did you mean --socket?")
}

@Test(arguments: ["", "x", "0", "11", "1.5", "99999999999999999999"])
func numbersOutsideTheirBoundsAreRefused(text: String) throws {
  let options = try CommandOptions(["--timeout", text], specifications)
  #expect(throws: OptionError.notANumber(option: "timeout", found: text, allowed: 1...10)) {
    try options.number("timeout", in: 1...10, default: 3)
  }
}

@Test func nearestNameIsFoundAndFarOnesAreNot() {
  let methods = ["balances.filter", "balances.list", "balances.get", "ledgers.create"]
  #expect(Suggestion.nearest(to: "balances.fliter", among: methods) == "balances.filter")
  #expect(Suggestion.nearest(to: "Balances.Get", among: methods) == "balances.get")
  #expect(Suggestion.nearest(to: "ledgers", among: methods) == "ledgers.create")
  #expect(Suggestion.nearest(to: "zebra", among: methods) == nil)
  #expect(Suggestion.nearest(to: "", among: methods) == nil)
}

@Test func distanceIsAMetricOnSmallWords() {
  let words = ["", "a", "b", "ab", "ba", "abc", "acb", "bca"].map { Array($0.utf8) }
  for one in words {
    #expect(Suggestion.distance(one, one) == 0)
    for other in words {
      #expect(Suggestion.distance(one, other) == Suggestion.distance(other, one))
      #expect(Suggestion.distance(one, other) >= abs(one.count - other.count))
    }
  }
}

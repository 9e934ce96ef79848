// Paths to a place in a document.

import Testing

@testable import Wire

@Suite struct JSONPathTests {
  @Test func aPathGrowsShrinksAndEscapesItsKeys() {
    var path = JSONPath()
    #expect(path.description == "")
    path.enter("params")
    path.enter("filters")
    path.enter(3)
    path.enter("a/b~c")
    #expect(path.description == "/params/filters/3/a~1b~0c")
    path.leave()
    #expect(path.appending("field").description == "/params/filters/3/field")
    #expect(path.appending(7).description == "/params/filters/3/7")
  }

  @Test func theKeyThatStandsTwiceIsFoundByItsOffset() {
    var document = JSONDocument()
    do throws(JSONFault) {
      try document.parse(copying: #"{"id":1,"params":{"legs":[{},{"a":1,"a":2}]}}"#)
      Issue.record("accepted")
    } catch {
      let path = document.path(to: error.offset).description
      #expect(path == "/params/legs/1/a")
    }
  }
}

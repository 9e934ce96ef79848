// The byte that is found is the first one, at every place and length.

import Platform
import Testing

@Test func theFirstOfTwoIsFoundAtEveryPlace() {
  for count in 0...130 {
    var bytes = [UInt8](repeating: 1, count: count)
    #expect(ByteSearch.firstIndex(of: 2, in: bytes.span) == nil)
    for place in 0..<count {
      bytes[place] = 2
      bytes[count - 1] = 2
      #expect(ByteSearch.firstIndex(of: 2, in: bytes.span) == place)
      bytes[place] = 1
      bytes[count - 1] = 1
    }
  }
}

@Test func aSliceIsSearchedOnItsOwn() {
  let bytes: [UInt8] = [10, 1, 2, 10, 3]
  #expect(ByteSearch.firstIndex(of: 10, in: bytes.span.extracting(1..<5)) == 2)
  #expect(ByteSearch.firstIndex(of: 10, in: bytes.span.extracting(4..<5)) == nil)
}

// Fuzz target: any split of the same bytes gives the same lines.

import Wire

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@_cdecl("FuzzFraming_main")
func main(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
  var count = count
  var arguments = unsafe arguments
  return unsafe runDriver(&count, &arguments) { bytes, byteCount in
    unsafe split(Array(UnsafeBufferPointer(start: bytes, count: byteCount)))
    return 0
  }
}

/// The first two bytes choose the longest line and the size of the pieces.
private func split(_ input: [UInt8]) {
  guard input.count > 2 else { return }
  let longest = Int(input[0] & 31) + 1
  let step = Int(input[1] & 15) + 1
  let bytes = Array(input[2...])
  let whole = lines(of: bytes, step: bytes.count, longest)
  precondition(whole == lines(of: bytes, step: step, longest), "pieces of \(step) bytes give other lines")
  precondition(whole == lines(of: bytes, step: 1, longest), "single bytes give other lines")
}

/// Each line's bytes; nil for one that is too long.
private func lines(of bytes: [UInt8], step: Int, _ longest: Int) -> [[UInt8]?] {
  var decoder = LineDecoder(longestLine: longest)
  var found: [[UInt8]?] = []
  var at = 0
  while at < bytes.count {
    let next = min(at + step, bytes.count)
    unsafe decoder.append(bytes.span.extracting(at..<next).bytes)
    drain(&decoder, into: &found)
    at = next
  }
  decoder.finish()
  drain(&decoder, into: &found)
  precondition(decoder.waitingByteCount == 0, "nothing waits at the end of the input")
  return found
}

private func drain(_ decoder: inout LineDecoder, into found: inout [[UInt8]?]) {
  while let event = decoder.next() {
    switch event {
    case .tooLong: found.append(nil)
    case .line(let range):
      let line = decoder.span(of: range)
      unsafe found.append(line.withUnsafeBytes { unsafe Array($0) })
    }
  }
}

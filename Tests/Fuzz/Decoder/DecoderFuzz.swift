// Fuzz target: both JSON engines read any bytes to the same tokens and the same faults.

import Wire

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@_cdecl("FuzzDecoder_main")
func main(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
  var count = count
  var arguments = unsafe arguments
  return unsafe runDriver(&count, &arguments) { bytes, byteCount in
    unsafe readLines(UnsafeRawBufferPointer(start: bytes, count: byteCount).bytes)
    return 0
  }
}

private func readLines(_ bytes: RawSpan) {
  var lines = LineDecoder()
  lines.append(bytes)
  lines.finish()
  var fast = JSONDocument(engine: .simdjson)
  var checked = JSONDocument(engine: .scanner)
  while case .line(let range)? = lines.next() {
    var fastFault: JSONFault?
    do throws(JSONFault) { try fast.parse(range, of: lines) } catch { fastFault = error }
    let checkedFault = fault(&checked, lines.span(of: range))
    precondition(fastFault == checkedFault, "engines name different faults")
    precondition(fast.hasSameTokens(as: checked), "engines come to different tokens")
    guard fastFault == nil, let root = checked.root else { continue }
    let compact = root.compacted()
    readAgain(compact)
    if let text = root.string() { writeAndRead(text) }
  }
}

private func fault(_ document: inout JSONDocument, _ line: RawSpan) -> JSONFault? {
  do throws(JSONFault) {
    try document.parse(copying: line)
    return nil
  } catch {
    return error
  }
}

/// What is compact is JSON, and compact.
private func readAgain(_ compact: [UInt8]) {
  var document = JSONDocument()
  let found = unsafe fault(&document, compact.span.bytes)
  precondition(found == nil, "compaction made something that is not JSON")
  let again = document.root?.compacted()
  precondition(again == compact, "compaction of what is compact changed it")
}

private func writeAndRead(_ text: String) {
  var writer = JSONWriter()
  writer.string(text)
  var document = JSONDocument()
  let found = fault(&document, writer.bytes)
  precondition(found == nil, "the writer made something that is not JSON")
  let back = document.root?.string()
  precondition(back.map { Array($0.utf8) } == Array(text.utf8), "a text changed on its way out and in")
  if let time = JSONTime(parsing: text) {
    let again = JSONTime(parsing: JSONTime.text(microseconds: time.microseconds))
    precondition(again?.microseconds == time.microseconds, "a time changed on its way out and in")
  }
}

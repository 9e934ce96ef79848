// Tests of metadata and of texts of records, by the codes that the engine keeps.

import Columns

extension StripeScan {
  /// Narrows a stripe's selection by codes; false when rows are to be read one by one.
  func narrowMember(_ words: Words, _ test: RowTest) throws(QueryStopped) -> Bool {
    let count = unsafe Kernels.populationCount(words, wordCount: Selection.wordCount)
    if count <= Self.fewRows { return false }
    let source: MemberSource
    let condition: MetadataTest.Condition
    switch test {
    case .metadata(let member):
      (source, condition) = (.metadata(reader.table, member.key), member.condition)
    case .text(.record(let field), let texts, let matchesNull):
      (source, condition) = (.record(reader.table, field), .text(texts, matchesNull: matchesNull))
    default: return false
    }
    guard
      try unsafe members.select(
        source, condition, stripe: stripe, rowCount: rowCount, selectedCount: count, into: scratch.bits)
    else { return false }
    unsafe keep(words)
    return true
  }
}

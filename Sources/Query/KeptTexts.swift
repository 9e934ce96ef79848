// What an engine keeps of the texts of one set of books, for all its queries.

/// Orders of codes, and members of metadata by code.
final class KeptTexts: Sendable {
  let ranks = RankCache()
  let members = ShreddedMembers()
  let matches = CodeMatches()
}

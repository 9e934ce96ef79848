// GMP is the library in use, and its numbers may be shared by threads.

import Amounts
import Testing

/// The product of two texts of digits, a digit at a time, as it is done on paper.
private func schoolbookProduct(_ left: String, _ right: String) -> String {
  let a = left.utf8.reversed().map { Int($0) - 48 }
  let b = right.utf8.reversed().map { Int($0) - 48 }
  var digits = Array(repeating: 0, count: a.count + b.count)
  for (i, x) in a.enumerated() {
    for (j, y) in b.enumerated() {
      digits[i + j] += x * y
    }
  }
  for index in 1..<digits.count {
    digits[index] += digits[index - 1] / 10
    digits[index - 1] %= 10
  }
  let text = digits.reversed().drop { $0 == 0 }.map(String.init).joined()
  return text.isEmpty ? "0" : text
}

@Suite struct BigIntegerTests {
  @Test func theLibraryIsGMP6() {
    #expect(BigInteger.libraryVersion.hasPrefix("6."))
  }

  @Test func theProductOfTwo500DigitNumbersIsThatOfTheSchoolbook() throws {
    let left = String((0..<500).map { Character(String(($0 * 7 + 3) % 10)) })
    let right = String((0..<500).map { Character(String(($0 * $0 + 9) % 10)) })
    let product = try Amount(left) * Amount(right)
    #expect(product.description == schoolbookProduct(left, right))
    #expect(product.int128 == nil)
    #expect(product.digitCount == product.description.count)
  }

  @Test func threadsShareOneNumberWithoutLocks() async {
    let shared = Amount.power(of10: 999) + .one
    let expected = (shared * shared).description
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<8 {
        group.addTask {
          (0..<200).allSatisfy { _ in
            let copy = shared
            return copy == shared && (copy * shared).description == expected
          }
        }
      }
      for await agreed in group {
        #expect(agreed)
      }
    }
  }
}

// Times of the demo's rows as RFC 3339.

import Testing

@testable import Samples

@Test(arguments: [
  (0, "1970-01-01T00:00:00Z"), (1_640_995_200_000, "2022-01-01T00:00:00Z"),
  (1_709_164_799_999, "2024-02-28T23:59:59Z"), (1_709_164_800_007, "2024-02-29T00:00:00Z"),
  (1_735_689_599_050, "2024-12-31T23:59:59Z"),
])
func timesAreRFC3339(milliseconds: Int, text: String) {
  #expect(DemoTime.text(milliseconds) == text)
}

// Memory of a bucket index: short arrays of row numbers and groups of nodes, cut to size and used again.

/// Arrays of row numbers of 4, 8, … 256 places, aligned to their size up to a cache line. One thread at a
/// time. What is given back is used again for the same size.
@safe struct RowArrays: ~Copyable {
  /// Size classes: class c has room for 2 << c rows; class 0 is no array.
  static let lastClass = 7
  static let capacityLimit = 2 << lastClass
  private static let granuleRows = 4

  private let granules = RegionColumn<SIMD4<UInt32>>(capacity: 1 << 32)
  /// By class: the first free array, 0 for none; the first place of a free array names the next.
  private let free: UnsafeMutablePointer<UInt32>
  /// The next granule that was never used; none begins at 0.
  private var next = UInt32(capacityLimit / granuleRows)

  init() {
    unsafe free = .allocate(capacity: Self.lastClass + 1)
    unsafe free.initialize(repeating: 0, count: Self.lastClass + 1)
  }

  deinit { unsafe free.deallocate() }

  var byteCount: Int { granules.byteCount }

  @inline(__always) static func capacity(_ sizeClass: UInt8) -> Int {
    sizeClass == 0 ? 0 : 2 << Int(sizeClass)
  }

  /// The smallest class with room for `count` rows, 1 to 256.
  static func sizeClass(for count: Int) -> UInt8 {
    UInt8(max(Int.bitWidth - (max(count, 2) - 1).leadingZeroBitCount - 1, 1))
  }

  @inline(__always) func rows(_ place: UInt32) -> UnsafeMutablePointer<UInt32> {
    unsafe UnsafeMutableRawPointer(granules.place(Int(place))).assumingMemoryBound(to: UInt32.self)
  }

  mutating func take(_ sizeClass: UInt8) -> UInt32 {
    let place = unsafe free[Int(sizeClass)]
    if place != 0 {
      unsafe free[Int(sizeClass)] = rows(place).pointee
      return place
    }
    if sizeClass == Self.lastClass {
      defer { next += UInt32(Self.capacityLimit / Self.granuleRows) }
      granules.reserve(Int(next) + Self.capacityLimit / Self.granuleRows)
      return next
    }
    // One of the next size becomes two.
    let pair = take(sizeClass + 1)
    give(pair + UInt32(Self.capacity(sizeClass) / Self.granuleRows), sizeClass)
    return pair
  }

  mutating func give(_ place: UInt32, _ sizeClass: UInt8) {
    unsafe rows(place).pointee = free[Int(sizeClass)]
    unsafe free[Int(sizeClass)] = place
  }
}

/// Where a row is: its part, and its place in the part's array.
struct BucketPlace: BitwiseCopyable, Sendable {
  /// Number of the node, 0 for a row that is in none.
  var part: UInt32
  var place: UInt32
}

/// A bucket, or a part of one that was divided. All zeros is a bucket without rows.
struct BucketNode: BitwiseCopyable, Sendable {
  /// Rows in it, or in all its children.
  var count: UInt32 = 0
  /// Of an undivided node: where its array lies. Of a divided one: number of its first child.
  var place: UInt32 = 0
  /// Number of the node that it is a part of; not used by buckets.
  var parent: UInt32 = 0
  /// Digits that lead to it.
  var level: UInt8 = 0
  /// Class of its array.
  var sizeClass: UInt8 = 0
  var isDivided = false
  private var unused: UInt8 = 0
}

/// What is known of 32 buckets that follow one another.
struct BucketRange: BitwiseCopyable, Sendable {
  /// Rows in all of them.
  var count: UInt32 = 0
  /// A bit for each that has rows, the lowest for the first.
  var occupied: UInt32 = 0

  @inline(__always) static func bit(_ bucket: UInt32) -> UInt32 { 1 << (bucket & 31) }
}

/// Nodes by number: those of the buckets come first, then children in groups of 16 and 64.
@safe struct BucketNodes: ~Copyable {
  private static let smallGroup = 16
  private static let largeGroup = 64

  private let nodes = RegionColumn<BucketNode>(capacity: 1 << 32)
  private var next = UInt32(BucketKey.bucketCount)
  private var freeSmall: UInt32 = 0
  private var freeLarge: UInt32 = 0

  init() {}

  var byteCount: Int { nodes.byteCount }

  /// Makes the buckets, if they are not yet there.
  func open() { nodes.reserve(BucketKey.bucketCount) }

  @inline(__always) subscript(number: UInt32) -> UnsafeMutablePointer<BucketNode> {
    unsafe nodes.place(Int(number))
  }

  @inline(__always) func prefetch(_ number: UInt32) { unsafe Kernels.prefetch(nodes.place(Int(number))) }

  /// Makes the children of a node.
  /// - Parameter count: 16 or 64.
  /// - Returns: the number of the first.
  mutating func take(_ count: Int, parent: UInt32, level: UInt8) -> UInt32 {
    let first = count == Self.smallGroup ? takeSmall() : takeLarge()
    var child = BucketNode()
    child.parent = parent
    child.level = level
    unsafe self[first].update(repeating: child, count: count)
    return first
  }

  mutating func give(_ first: UInt32, _ count: Int) {
    if count == Self.smallGroup {
      unsafe self[first].pointee.place = freeSmall
      freeSmall = first
    } else {
      unsafe self[first].pointee.place = freeLarge
      freeLarge = first
    }
  }

  private mutating func takeSmall() -> UInt32 {
    if freeSmall == 0 {
      let group = takeLarge()
      for place in 0..<Self.largeGroup / Self.smallGroup {
        give(group + UInt32(place * Self.smallGroup), Self.smallGroup)
      }
    }
    let first = freeSmall
    freeSmall = unsafe self[first].pointee.place
    return first
  }

  private mutating func takeLarge() -> UInt32 {
    if freeLarge != 0 {
      let first = freeLarge
      freeLarge = unsafe self[first].pointee.place
      return first
    }
    let first = next
    nodes.reserve(Int(next) + Self.largeGroup)
    next += UInt32(Self.largeGroup)
    return first
  }
}

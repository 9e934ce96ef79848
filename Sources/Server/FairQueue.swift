// A queue in which every connection has its turn.

/// Jobs by connection, taken one of each connection in turn; those of one connection in their order. All
/// steps are O(1) but for `takeAll`.
struct FairQueue<Job> {
  /// First in, first out. Places before `head` are empty, so that nothing taken is kept alive.
  private struct Line<Element> {
    private var elements: [Element?] = []
    private var head = 0

    var isEmpty: Bool { head == elements.count }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func removeFirst() -> Element? {
      guard head < elements.count else { return nil }
      let element = elements[head].take()
      head += 1
      if head == elements.count {
        elements.removeAll(keepingCapacity: elements.capacity <= 64)
        head = 0
      } else if head >= 64, head * 2 >= elements.count {
        elements.removeFirst(head)
        head = 0
      }
      return element
    }

    mutating func removeAll(where isMeant: (Element) -> Bool) -> [Element] {
      var taken: [Element] = []
      var left: [Element?] = []
      for case let element? in elements[head...] {
        if isMeant(element) { taken.append(element) } else { left.append(element) }
      }
      elements = left
      head = 0
      return taken
    }
  }

  private var lines: [UInt64: Line<Job>] = [:]
  /// Connections with jobs, each once, the next one first.
  private var turns = Line<UInt64>()
  /// Jobs waiting.
  private(set) var count = 0

  init() {}

  func hasJobs(of connection: UInt64) -> Bool { lines[connection] != nil }

  mutating func append(_ job: Job, of connection: UInt64) {
    if lines[connection] == nil { turns.append(connection) }
    lines[connection, default: Line()].append(job)
    count += 1
  }

  /// The next job of the connection whose turn it is.
  mutating func takeNext() -> Job? {
    while let connection = turns.removeFirst() {
      // Taken out by `takeAll` meanwhile.
      guard var line = lines.removeValue(forKey: connection), let job = line.removeFirst() else { continue }
      if !line.isEmpty {
        lines[connection] = line
        turns.append(connection)
      }
      count -= 1
      return job
    }
    return nil
  }

  /// Takes out all jobs of a kind. O(jobs).
  mutating func takeAll(where isMeant: (Job) -> Bool) -> [Job] {
    var taken: [Job] = []
    for connection in Array(lines.keys) {
      guard var line = lines[connection] else { continue }
      taken += line.removeAll(where: isMeant)
      lines[connection] = line
    }
    count -= taken.count
    return taken
  }
}

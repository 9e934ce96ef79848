// The simulated disk does not lie: it is the kernel's twin while there is power, and as strict as it says
// when there is none.

import Glibc
import Platform
import TestSupport
import Testing

@Suite struct SimulatedDiskTests {
  private let disk = SimulatedDisk()

  private func directory() throws -> DataDirectory { try DataDirectory(creating: "/d", on: disk) }

  private func write(_ bytes: [UInt8], at offset: Int = 0, to name: String, sync: Bool) throws {
    let file = try DataDirectory(existing: "/d", on: disk).open(name, .createOrOpen)
    try file.write(bytes, at: offset)
    if sync { try file.sync() }
  }

  private func found(_ name: String, after loss: PowerLoss) -> [UInt8]? {
    disk.afterPowerLoss(loss).contents("/d/" + name)
  }

  // MARK: While there is power

  @Test(arguments: Seed.sample(20))
  func itDoesWhatTheKernelDoes(seed: Seed) throws {
    let place = try TemporaryDirectory()
    let twins = [
      try DataDirectory(creating: place.path(of: "d")), try DataDirectory(creating: "/d", on: disk),
    ]
    let scripts = twins.map { FileScript($0, seed) }
    for step in 0..<150 {
      let expected = scripts[0].step()
      let answer = scripts[1].step()
      #expect(answer == expected, "step \(step), \(seed)")
      if answer != expected { return }
    }
    let contents = try twins.map { try FileScript.contents(of: $0) }
    #expect(contents[0] == contents[1], "\(seed)")
  }

  @Test func aLockIsHeldOnceAndGivenBack() throws {
    let directory = try directory()
    do {
      let lock = try DirectoryLock(directory)
      #expect(throws: DirectoryError.locked(path: "/d", processID: CurrentProcess.id)) {
        _ = try DirectoryLock(directory)
      }
      // A copy is the disk after a kill: locks are gone.
      _ = try DirectoryLock(DataDirectory(existing: "/d", on: disk.copy()))
      _ = consume lock
    }
    _ = try DirectoryLock(directory)
  }

  @Test func aCopyAndItsOriginalGoTheirOwnWays() throws {
    _ = try directory()
    try write([1, 2, 3], to: "f", sync: false)
    let copy = disk.copy()
    try write([9], to: "f", sync: true)
    let other = try DataDirectory(existing: "/d", on: copy)
    try other.open("g", .createNew).write([7])
    #expect(copy.contents("/d/f") == [1, 2, 3])
    #expect(disk.contents("/d/f") == [9, 2, 3])
    #expect(disk.contents("/d/g") == nil)
    #expect(copy.unsyncedCount == disk.unsyncedCount + 3)
  }

  @Test func misalignedDirectTransfersTrap() async {
    await #expect(processExitsWith: .failure) {
      let disk = SimulatedDisk()
      let file = try DataDirectory(creating: "/d", on: disk).open("f", .createNew, direct: true)
      let memory = try PageMemory(byteCount: 8192)
      let bytes = unsafe UnsafeRawBufferPointer(start: memory.base, count: 4096)
      try unsafe file.write(bytes, at: 4096)
      try? unsafe file.write(bytes, at: 512)
      CurrentProcess.exitImmediately(0)
    }
    await #expect(processExitsWith: .success) {
      let disk = SimulatedDisk()
      let file = try DataDirectory(creating: "/d", on: disk).open("f", .createNew, direct: true)
      let memory = try PageMemory(byteCount: 8192)
      try unsafe file.write(UnsafeRawBufferPointer(start: memory.base, count: 4096), at: 4096)
    }
  }

  // MARK: When there is none

  @Test func whatIsNotSyncedIsLostAndWhatIsStays() throws {
    _ = try directory()
    try write([1, 2, 3], to: "f", sync: true)
    try disk.syncDirectory("/d")
    try write([8, 9], at: 2, to: "f", sync: false)
    #expect(found("f", after: .losingAll) == [1, 2, 3])
    #expect(found("f", after: .keepingAll) == [1, 2, 8, 9])
    try write([4], to: "f", sync: true)
    // A sync covers what any open file wrote before.
    #expect(found("f", after: .losingAll) == [4, 2, 8, 9])
  }

  @Test func aFileWithoutASyncOfItsDirectoryIsLost() throws {
    let directory = try directory()
    try write([1], to: "f", sync: true)
    #expect(found("f", after: .losingAll) == nil)
    try directory.sync()
    #expect(found("f", after: .losingAll) == [1])
    try directory.rename("f", to: "g")
    #expect(found("f", after: .losingAll) == [1] && found("g", after: .losingAll) == nil)
    #expect(found("f", after: .keepingAll) == nil && found("g", after: .keepingAll) == [1])
    try directory.sync()
    try directory.removeFile("g")
    #expect(found("g", after: .losingAll) == [1])
    try directory.sync()
    #expect(found("g", after: .losingAll) == nil)
  }

  @Test func aDirectoryIsLostWithoutASyncOfItsParent() throws {
    let inner = try directory().makeDirectory("inner")
    try inner.replaceFile("f", with: [1])
    #expect(disk.afterPowerLoss(.losingAll).filePaths == [])
    try disk.syncDirectory("/d")
    #expect(disk.afterPowerLoss(.losingAll).filePaths == ["/d/inner/f"])
    try DataDirectory(existing: "/d", on: disk).removeDirectory("inner")
    #expect(disk.filePaths == [])
    #expect(disk.afterPowerLoss(.losingAll).filePaths == ["/d/inner/f"])
  }

  @Test func replacingAFileLeavesTheOldOrTheNew() throws {
    let directory = try directory()
    try directory.replaceFile("f", with: [1])
    let log = DiskImages(disk)
    try directory.replaceFile("f", with: [2, 3])
    for image in log.images {
      for mask in 0..<(UInt64(1) << UInt64(image.unsyncedCount)) {
        let found = image.afterPowerLoss(.keeping(mask: mask)).contents("/d/f")
        #expect(found == [1] || found == [2, 3], "mask \(mask)")
      }
    }
  }

  @Test func everySubsetOfPendingWritesIsPossible() throws {
    _ = try directory()
    try write([0, 0, 0, 0], to: "f", sync: true)
    try disk.syncDirectory("/d")
    for place in 0..<4 { try write([UInt8(place + 1)], at: place, to: "f", sync: false) }
    var seen: Set<[UInt8]> = []
    for mask in 0..<UInt64(16) { seen.insert(try #require(found("f", after: .keeping(mask: mask)))) }
    #expect(seen.count == 16)
  }

  @Test func aWriteIsTornBetweenSectors() throws {
    _ = try directory()
    try write([UInt8](repeating: 1, count: 2048), to: "f", sync: true)
    try disk.syncDirectory("/d")
    try write([UInt8](repeating: 2, count: 1500), at: 100, to: "f", sync: false)
    for sectors in 0...4 {
      let bytes = try #require(found("f", after: .keepingFirst(0, sectors: sectors)))
      let end = sectors == 0 ? 100 : min(sectors * 512, 1600)
      #expect(bytes[..<100].allSatisfy { $0 == 1 } && bytes[end...].allSatisfy { $0 == 1 })
      #expect(bytes[100..<max(100, end)].allSatisfy { $0 == 2 })
    }
    var shapes: Set<[UInt8]> = []
    for seed in 0..<400 {
      let bytes = try #require(found("f", after: .random(Seed(UInt64(seed)))))
      #expect(bytes[..<100].allSatisfy { $0 == 1 } && bytes[1600...].allSatisfy { $0 == 1 })
      shapes.insert([bytes[100], bytes[512], bytes[1024], bytes[1536]])
      if bytes[512..<1536].allSatisfy({ $0 == 1 || $0 == 2 }) {
        for sector in 1..<3 { #expect(Set(bytes[(sector * 512)..<(sector * 512 + 512)]).count == 1) }
      }
    }
    // All sixteen subsets of the four sectors, and scrambled ones.
    #expect(shapes.filter { $0.allSatisfy { $0 == 1 || $0 == 2 } }.count == 16)
    #expect(shapes.count > 16)
  }

  @Test func sizesShrinkAndGrowInOrder() throws {
    let directory = try directory()
    try directory.sync()
    let file = try directory.open("f", .createNew)
    try directory.sync()
    try file.write([1, 1, 1, 1])
    try file.truncate(to: 1)
    try file.truncate(to: 3)
    var seen: Set<[UInt8]> = []
    for mask in 0..<UInt64(8) { seen.insert(try #require(found("f", after: .keeping(mask: mask)))) }
    // The bytes that were cut off do not come back, and no size is there that never was.
    #expect(seen == [[], [1, 1, 1, 1], [1], [1, 0, 0]])
    try file.sync()
    #expect(found("f", after: .losingAll) == [1, 0, 0])
  }

  @Test func reservedRoomIsLostWithoutASync() throws {
    let directory = try directory()
    let file = try directory.open("f", .createNew)
    try directory.sync()
    try file.reserve(8192)
    #expect(found("f", after: .losingAll) == [])
    try file.sync()
    #expect(found("f", after: .losingAll)?.count == 8192)
  }

  // MARK: Failures

  @Test func faultsStrikeTheCallTheyAreMeantFor() throws {
    let directory = try directory()
    disk.plant(DiskFault(.write, turn: 2, code: EIO))
    let file = try directory.open("f", .createNew)
    try file.write([1], at: 0)
    let error = #expect(throws: SystemError.self) { try file.write([2], at: 1) }
    #expect(error == SystemError(code: EIO, call: "pwrite", doing: "write", path: "/d/f"))
    try file.write([3], at: 2)
    #expect(disk.struckCount == 1)
    disk.plant(DiskFault(.sync, turn: 1, code: EIO, isForever: true, place: "/f"))
    for _ in 0..<3 { #expect(throws: SystemError.self) { try file.sync() } }
    try directory.open("g", .createNew).sync()
    disk.removeFaults()
    try file.sync()
  }

  @Test func aSyncAfterAFailedOneSavesNothingOld() throws {
    let directory = try directory()
    let file = try directory.open("f", .createNew)
    try file.write([1, 1], at: 0)
    try file.sync()
    try directory.sync()
    try file.write([2], at: 0)
    disk.plant(DiskFault(.sync, turn: 1))
    #expect(throws: SystemError.self) { try file.sync() }
    try file.write([3], at: 1)
    try file.sync()
    // What a reader sees is not what the disk has; only a reader past the cache is told.
    #expect(try directory.readFile("f") == [2, 3])
    #expect(found("f", after: .losingAll) == [1, 3])
    #expect(found("f", after: .keepingAll) == [1, 3])
    let direct = try directory.open("f", .read, direct: true)
    let memory = try PageMemory(byteCount: 4096)
    #expect(unsafe try direct.read(at: 0, into: memory.bytes) == 2)
    #expect(unsafe Array(memory.bytes[..<2]) == [1, 3])
  }

  @Test func aFullDiskTakesWhatFitsAndRefusesTheRest() throws {
    let directory = try directory()
    disk.setCapacity(3 * 4096)
    let file = try directory.open("f", .createNew)
    try file.write([UInt8](repeating: 1, count: 8192), at: 0)
    let error = #expect(throws: SystemError.self) {
      try file.write([UInt8](repeating: 2, count: 8192), at: 8192)
    }
    #expect(error?.name == "ENOSPC")
    #expect(try file.size() == 3 * 4096 && file.freeBytes() == 0)
    // What has room already may be written over.
    try file.write([9], at: 5)
    let reserving = #expect(throws: SystemError.self) { try file.reserve(4 * 4096) }
    #expect(reserving?.name == "ENOSPC")
    try file.truncate(to: 4096)
    #expect(try file.freeBytes() == 8192)
    try directory.removeFile("f")
    #expect(disk.usedByteCount == 0)
  }

  @Test func theWatcherSeesEveryCallTwice() throws {
    let log = DiskImages(disk)
    let directory = try directory()
    try directory.replaceFile("f", with: [1])
    #expect(
      log.calls.map(\.kind) == [
        .makeDirectory, .syncDirectory, .look, .look, .create, .write, .sync, .rename, .syncDirectory,
      ])
    #expect(log.calls.map(\.number) == Array(0..<9))
    #expect(log.images.count == 18)
  }
}

/// Copies of a disk before and after each call.
private final class DiskImages: Sendable {
  private let seen = Guarded<(images: [SimulatedDisk], calls: [DiskCall])>(([], []))
  var images: [SimulatedDisk] { seen.withLock { $0.images } }
  var calls: [DiskCall] { seen.withLock { $0.calls } }

  init(_ disk: SimulatedDisk) {
    disk.watch { [unowned disk, seen] call, moment in
      let image = disk.copy()
      seen.withLock {
        $0.images.append(image)
        if moment == .before { $0.calls.append(call) }
      }
    }
  }
}

/// Random calls on one directory; each answers with what came of it, errors included.
private final class FileScript {
  private let directory: DataDirectory
  private var generator: SeededGenerator

  init(_ directory: DataDirectory, _ seed: Seed) {
    self.directory = directory
    generator = seed.generator
  }

  /// Names and bytes of all files.
  static func contents(of directory: DataDirectory) throws -> [String: [UInt8]] {
    var contents: [String: [UInt8]] = [:]
    for name in try directory.names() {
      let isDirectory = try directory.status(of: name)?.kind == .directory
      contents[name] = isDirectory ? [] : try directory.readFile(name, limit: 1 << 24)
    }
    return contents
  }

  func step() -> String {
    let names = ["a", "b", "c", "x", "y"]
    let name = names.randomElement(using: &generator) ?? "a"
    let other = names.randomElement(using: &generator) ?? "a"
    let kind = Int.random(in: 0..<12, using: &generator)
    let offset = Int.random(in: 0..<20_000, using: &generator)
    let bytes = (0..<Int.random(in: 0..<9000, using: &generator)).map { _ in
      UInt8(truncatingIfNeeded: generator.next())
    }
    do throws(SystemError) {
      return try carryOut(kind, name, other, offset, bytes)
    } catch {
      return "\(error.name) from \(error.call)"
    }
  }

  private func carryOut(
    _ kind: Int, _ name: String, _ other: String, _ offset: Int, _ bytes: [UInt8]
  ) throws(SystemError) -> String {
    switch kind {
    case 0: try directory.open(name, .createNew).write(bytes)
    case 1: try directory.open(name, .replace).write(bytes)
    case 2: try directory.open(name, .append).write(bytes)
    case 3: try directory.open(name, .createOrOpen).write(bytes, at: offset)
    case 4: try directory.open(name, .readWrite).truncate(to: offset)
    case 5: try directory.open(name, .readWrite).reserve(offset + 1)
    case 6: try directory.rename(name, to: other)
    case 7: try directory.removeFile(name)
    case 8: _ = try directory.makeDirectory(name)
    case 9: try directory.removeDirectory(name)
    case 10: return "\(try directory.names())"
    default:
      let file = try directory.open(name, .read)
      var span = [UInt8](repeating: 0, count: 5000)
      var room = span.mutableSpan
      let count = try file.read(at: offset, into: &room)
      return "\(try file.size()) \(count) \(span[..<count].reduce(0) { $0 &* 31 &+ Int($1) })"
    }
    return "done"
  }
}

// What other threads tell a loop: new connections, finished answers, the order to stop.

import Platform
import Synchronization
import Wire

extension ConnectionLoop {
  mutating func takeMessages() {
    for message in inbox.takeAll() {
      switch message {
      case .adopt(let descriptor, let peer): adopt(UnixSocket(adopting: descriptor), peer)
      case .finished(let number, let place, let line, let position):
        guard let client = connections[number] else { continue }
        client.connection.answers.finish(place, line, position: position)
        countAway(&client.connection, -1)
        resume(&client.connection)
      case .streamMade(let answer): take(answer)
      case .deliveryWaits(let delivery): hold(delivery)
      case .changesMade(let number, let feed):
        guard let client = connections[number] else { continue }
        take(feed, &client.connection)
      case .changesCommitted: wakeSubscribers()
      case .lookAgain(let number):
        services.queries.dropStopped()
        lookAtWaiters()
        lookAtDeliveries()
        if !parked.isEmpty { retryParked() }
        guard let client = connections[number] else { continue }
        resume(&client.connection)
      case .drain: drain()
      }
    }
  }

  /// An answer came: write it, and take the requests that waited for it.
  mutating func resume(_ connection: inout Connection) {
    advance(&connection)
    settle(&connection)
  }

  mutating func adopt(_ socket: consuming UnixSocket, _ peer: Peer) {
    let number = shared.nextConnection.add(1, ordering: .relaxed).oldValue
    let descriptor = socket.descriptor
    let client = Client(
      Connection(
        number: number, socket: socket, peer: peer, longestLine: shared.configuration.longestLine,
        passed: PassedDescriptors(
          limit: shared.configuration.bounds.waitingDescriptors, countedIn: shared.descriptors)))
    do {
      try events.add(descriptor, token: number, interest: .read)
      connections[number] = client
      if isDraining { beginDraining(&client.connection) }
    } catch {
      shared.log.log(.warning, "connection not watched", [("reason", "\(error)")])
      shared.connectionCount.subtract(1, ordering: .relaxed)
    }
  }

  /// Takes nothing new; what was read is finished, then each connection closes.
  mutating func drain() {
    isDraining = true
    let bounds = shared.configuration.bounds
    drainDeadline = now + (shared.hasJournalFailed ? bounds.failedStopTime : bounds.stopTime)
    for (_, client) in connections { beginDraining(&client.connection) }
  }

  mutating func beginDraining(_ connection: inout Connection) {
    guard read(&connection) else { return }
    connection.isDraining = true
    if !connection.feeds.isEmpty { flush(&connection) }
    settle(&connection)
  }

  /// The time to stop is over: what still runs is cancelled and answered so; a second later all are closed.
  mutating func hurry() {
    for (number, client) in connections {
      if isHurrying {
        close(&client.connection)
      } else {
        shared.running.cancelAll(number, includingWrites: true)
      }
    }
    isHurrying = true
    drainDeadline = now + (shared.hasJournalFailed ? shared.configuration.bounds.failedStopTime : .seconds(1))
  }
}

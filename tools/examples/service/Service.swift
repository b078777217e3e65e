import Glibc
import Runnel

/// What a service has done.
struct Counts {
  var connections = 0
  var frames = 0
  var badFrames = 0
  var refused = 0
  var lost = 0
}

/// The loop that serves all clients on one thread.
///
/// Each turn waits until some client can be served, and gives each of those a bounded share of
/// work. `poll` looks at every connection in each turn, which is cheap up to some hundreds; for
/// thousands use `epoll`, or several such loops on one model.
struct Service {
  /// How long clients have to take the last replies when the service stops.
  private static let farewell = Duration.seconds(1)
  /// Milliseconds between two looks at the time, while anything waits for it.
  private static let tick: Int32 = 100

  private let model: Model
  private let stop: StopSignal
  private let listener: Listener
  private let limit: Int
  private let patience: Duration
  private var connections: [Connection] = []
  /// What `poll` waits for: the stop signal, the listener, then each connection.
  private var polled: [pollfd] = []
  private var counts = Counts()
  /// When the last clients are given up, if the service is about to stop.
  private var deadline: ContinuousClock.Instant?
  /// Until when nobody is accepted, because the system has run out of something.
  private var pause: ContinuousClock.Instant?
  /// A descriptor to spare: with none left, it makes room to refuse a client, who would otherwise
  /// wait for ever, and keep `poll` from waiting.
  private var spare = openSpare()

  init(model: Model, listener: Listener, stop: StopSignal, limit: Int, patience: Duration) {
    self.model = model
    self.listener = listener
    self.stop = stop
    self.limit = limit
    self.patience = patience
    connections.reserveCapacity(limit)
    polled.reserveCapacity(limit + 2)
  }

  /// Serves until the stop signal comes, and then answers what has been received by then.
  mutating func run() throws(Failure) -> Counts {
    while true {
      try waitForEvents()
      let now = ContinuousClock.now
      serveConnections(now)
      if deadline == nil, polled[0].revents != 0 { beginStop(now) }
      if listener.descriptor >= 0, polled[1].revents != 0 { accept(now) }
      if let pause, now >= pause { self.pause = nil }
      if let deadline, connections.isEmpty || now >= deadline { break }
    }
    counts.lost += connections.count
    connections.removeAll()
    return counts
  }

  private mutating func waitForEvents() throws(Failure) {
    polled.removeAll(keepingCapacity: true)
    polled.append(entry(deadline == nil ? stop.descriptor : -1))
    polled.append(entry(pause == nil ? listener.descriptor : -1))
    var clockRuns = deadline != nil || pause != nil
    for connection in connections {
      polled.append(entry(connection.descriptor, connection.events))
      clockRuns = clockRuns || connection.waitingSince != nil
    }
    let result = unsafe poll(&polled, nfds_t(polled.count), clockRuns ? Self.tick : -1)
    guard result >= 0 || errno == EINTR else { throw .system("poll") }
  }

  private func entry(_ descriptor: Int32, _ events: Int32 = POLLIN) -> pollfd {
    pollfd(fd: descriptor, events: Int16(events), revents: 0)
  }

  private mutating func serveConnections(_ now: ContinuousClock.Instant) {
    // From the end, so that the last connection can take the place of one that ended.
    for index in connections.indices.reversed() {
      let connection = connections[index]
      if polled[2 + index].revents != 0 {
        connection.serve(&counts, now: now)
      }
      if let since = connection.waitingSince, now - since > patience { connection.drop() }
      guard let ending = connection.ending else { continue }
      if ending == .lost { counts.lost += 1 }
      connections.swapAt(index, connections.count - 1)
      connections.removeLast()
    }
  }

  private mutating func beginStop(_ now: ContinuousClock.Instant) {
    listener.close()
    for connection in connections { connection.endInput() }
    deadline = now + Self.farewell
  }

  /// Accepts one client; the next turn takes the next.
  private mutating func accept(_ now: ContinuousClock.Instant) {
    let client = Glibc.accept(listener.descriptor, nil, nil)
    if client < 0 {
      // Clients that have gone are no lack; anything else is one, which time may heal.
      if errno == EMFILE || errno == ENFILE {
        refuseWithSpare(now)
      } else if errno != ECONNABORTED, errno != EAGAIN, errno != EINTR {
        pause = now + .milliseconds(Self.tick)
      }
    } else if connections.count == limit {
      refuse(client)
    } else {
      connections.append(Connection(client, model, now: now))
      counts.connections += 1
    }
  }

  private mutating func refuseWithSpare(_ now: ContinuousClock.Instant) {
    close(spare)
    let client = Glibc.accept(listener.descriptor, nil, nil)
    if client >= 0 { refuse(client) } else { pause = now + .milliseconds(Self.tick) }
    spare = Self.openSpare()
  }

  private mutating func refuse(_ client: Int32) {
    // A new socket has room for it.
    unsafe Wire.hello(.full, model).withUnsafeBytes { hello in
      _ = unsafe send(client, hello.baseAddress, hello.count, Int32(MSG_DONTWAIT))
    }
    close(client)
    counts.refused += 1
  }

  private static func openSpare() -> Int32 { unsafe open("/dev/null", O_RDONLY | O_CLOEXEC) }
}

import Glibc
import Runnel
import TestSupport
import Testing

@Suite struct LifecycleTests {
  private let description = RandomModels.stack(
    .gruResetAfter, inputSize: 3, hiddenSize: 8, headSize: 2, seed: 3)

  /// The service is stopped (as with Ctrl-Z) while the frames are sent, so that it meets all of
  /// them, and the signal, at once.
  @Test(arguments: [SIGTERM, SIGINT])
  func `Asked to stop, it answers what it has received, and leaves no socket`(
    signal: Int32
  ) throws {
    let model = try Model(description)
    let service = try ServiceProcess.serving(description)
    let clients = try (0..<20).map { _ in try Client(service) }
    service.send(SIGSTOP)
    let frames = (0..<20).map {
      RandomModels.frames(300, of: description.programs[0], seed: UInt64($0))
    }
    for (client, frames) in zip(clients, frames) {
      try client.send(frames)
      try client.send(bytes: [1, 2, 3])
    }
    service.send(signal)
    service.send(SIGCONT)
    for (client, frames) in zip(clients, frames) {
      #expect(try expectedReplies(model, frames).allSatisfy { try client.reply() == $0 })
      #expect(client.isClosed())
    }
    #expect(try service.exitCode() == 0)
    #expect(!exists(service.socket))
    #expect(
      service.said.hasSuffix(
        """
        stopped after 20 connections and 6000 frames: 0 bad frames, 0 connections refused, \
        20 clients lost

        """), "\(service.said)")
  }

  @Test func `Asked to stop, it does not wait long for a client that never reads`() throws {
    let service = try ServiceProcess.serving(description, options: ["--patience", "60"])
    let client = try Client(service)
    let idle = try Client(service)
    _ = client.fill()
    let start = ContinuousClock.now
    service.send(SIGTERM)
    #expect(idle.isClosed())
    #expect(try service.exitCode() == 0)
    #expect(ContinuousClock.now - start < .seconds(20))
    #expect(!exists(service.socket))
  }

  @Test func `A second service on the same socket is refused, and the first goes on`() throws {
    let first = try ServiceProcess.serving(description)
    let client = try Client(first)
    let second = try ServiceProcess(in: first.folder, log: "other log")
    #expect(try second.exitCode() == EX_CANTCREAT)
    #expect(second.said.contains("another service listens on it"))
    #expect(try client.ask([1, 2, 3]).status == 0)
    #expect(try Client(first).ask([1, 2, 3]).status == 0)
  }

  @Test func `The socket of a service that was killed is replaced`() throws {
    let first = try ServiceProcess.serving(description)
    first.send(SIGKILL)
    #expect(try first.exitCode() == nil)
    #expect(exists(first.socket))
    let second = try ServiceProcess(in: first.folder, log: "other log")
    try second.waitUntilListening()
    #expect(try Client(second).ask([1, 2, 3]).status == 0)
  }

  @Test func `Of services that start at once on a stale socket, one listens`() throws {
    let killed = try ServiceProcess.serving(description)
    killed.send(SIGKILL)
    #expect(try killed.exitCode() == nil)
    let services = try ["log", "other log"].map { try ServiceProcess(in: killed.folder, log: $0) }
    try wait("one listens and one is refused") {
      services.contains { $0.said.contains("listening on ") }
        && services.contains { $0.said.contains("another service listens") }
    }
    let listening = try #require(services.first { $0.said.contains("listening on ") })
    #expect(try Client(listening).ask([1, 2, 3]).status == 0)
  }

  /// The lock on the folder is what makes the test above pass, whatever the scheduler does.
  @Test func `A service does not look for stale sockets while another one does`() throws {
    let folder = TemporaryFolder()
    try description.write(to: folder.path + "/model")
    let descriptor = unsafe open(folder.path, O_RDONLY | O_CLOEXEC)
    #expect(flock(descriptor, LOCK_EX) == 0)
    let service = try ServiceProcess(in: folder)
    usleep(200_000)
    #expect(!exists(service.socket))
    close(descriptor)
    try service.waitUntilListening()
  }

  @Test func `A socket that another service has made in its place is left alone`() throws {
    let first = try ServiceProcess.serving(description)
    unsafe unlink(first.socket)
    let second = try ServiceProcess(in: first.folder, log: "other log")
    try second.waitUntilListening()
    first.send(SIGTERM)
    #expect(try first.exitCode() == 0)
    #expect(try Client(second).ask([1, 2, 3]).status == 0)
  }

  @Test func `A file that is not a socket is left alone`() throws {
    let folder = TemporaryFolder()
    try description.write(to: folder.path + "/model")
    try description.write(to: folder.path + "/socket")
    let service = try ServiceProcess(in: folder)
    #expect(try service.exitCode() == EX_CANTCREAT)
    #expect(service.said.contains("is not a socket"))
    #expect(try ModelDescription(path: service.socket) == description)
  }

  @Test func `A path that is too long for a socket, or has no folder, is refused`() throws {
    let folder = TemporaryFolder()
    try description.write(to: folder.path + "/model")
    for (name, reason) in [
      (String(repeating: "x", count: 108), "107 bytes"), ("none/socket", "No such file"),
    ] {
      let service = try ServiceProcess(
        in: folder, [folder.path + "/model", "\(folder.path)/\(name)"])
      #expect(try service.exitCode() == EX_CANTCREAT)
      #expect(service.said.contains(reason), "\(service.said)")
    }
  }

  @Test func `A damaged model is refused with the reason and the offset`() throws {
    let folder = TemporaryFolder()
    var bytes = try description.encoded()
    bytes[12] ^= 1
    let descriptor = unsafe open(folder.path + "/model", O_WRONLY | O_CREAT, 0o600)
    #expect(unsafe write(descriptor, bytes, bytes.count) == bytes.count)
    close(descriptor)
    let service = try ServiceProcess(in: folder)
    #expect(try service.exitCode() == EX_DATAERR)
    #expect(
      service.said.contains("not a valid model: sectionCount at byte 12\n"), "\(service.said)")
    #expect(!exists(service.socket))
  }

  @Test func `A model that predicts other than its golden frames say is refused`() throws {
    var model = description.withGoldenFrames(10, seed: 1)
    _ = try ServiceProcess.serving(model)
    model.golden.runs[0].predictions[5] += 0.25
    let folder = TemporaryFolder()
    try model.write(to: folder.path + "/model")
    let service = try ServiceProcess(in: folder)
    #expect(try service.exitCode() == EX_DATAERR)
    #expect(service.said.contains("the golden frames deviate by 0.25"), "\(service.said)")
  }

  @Test func `A model that is not there is refused`() throws {
    let service = try ServiceProcess(in: TemporaryFolder())
    #expect(try service.exitCode() == EX_NOINPUT)
    #expect(service.said.contains("model: No such file or directory"))
  }

  @Test(arguments: [
    [], ["model"], ["a", "b", "c"], ["--what", "a", "b"], ["a", "b", "--connections"],
    ["a", "b", "--connections", "0"], ["a", "b", "--patience", "soon"],
  ])
  func `Arguments that mean nothing are answered with the usage`(words: [String]) throws {
    let service = try ServiceProcess(in: TemporaryFolder(), words)
    #expect(try service.exitCode() == EX_USAGE)
    #expect(service.said.contains("Usage: runnel-service MODEL SOCKET"))
  }
}

import Glibc
import Runnel
import TestSupport
import Testing

/// Clients that do what they should not, beside one that must not notice.
@Suite struct MisbehaviourTests {
  private let description = RandomModels.stack(
    .lstm, inputSize: 6, hiddenSize: 16, headSize: 4, seed: 2)

  /// A well-behaved stream, and what it must get.
  private struct Witness {
    private let client: Client
    private let model: Model
    private let frames: [Float]
    private let expected: [Reply]
    private var index = 0

    init(_ service: ServiceProcess, _ description: ModelDescription) throws {
      client = try Client(service)
      model = try Model(description)
      frames = RandomModels.frames(200, of: description.programs[0], seed: 9)
      expected = try expectedReplies(model, frames)
    }

    /// Whether the next ten frames get the right predictions.
    mutating func isUndisturbed() throws -> Bool {
      for _ in 0..<10 {
        let first = index * model.frameSize
        guard try client.ask(frames[first..<first + model.frameSize]) == expected[index] else {
          return false
        }
        index += 1
      }
      return true
    }
  }

  @Test func `Clients that vanish disturb nobody`() throws {
    let service = try ServiceProcess.serving(description)
    var witness = try Witness(service, description)
    let before = service.descriptorCount
    #expect(try witness.isUndisturbed())

    // Within a frame.
    var client: Client? = try Client(service)
    _ = try client?.ask([1, 2, 3, 4, 5, 6])
    try client?.send(bytes: [1, 2, 3, 4, 5])
    client = nil
    #expect(try witness.isUndisturbed())

    // With replies on their way, more than one socket holds.
    client = try Client(service)
    _ = client?.fill()
    client = nil
    #expect(try witness.isUndisturbed())

    try wait("both are gone") { service.descriptorCount == before }
    service.send(SIGTERM)
    #expect(try service.exitCode() == 0)
    #expect(service.said.contains(" 2 clients lost\n"), "\(service.said)")
  }

  @Test func `A client that never reads is held up, and disturbs nobody`() throws {
    let service = try ServiceProcess.serving(description, options: ["--patience", "60"])
    var witness = try Witness(service, description)
    let before = service.descriptorCount
    let client = try Client(service)
    let bytes = service.residentBytes
    // The system's buffers take some hundred kilobytes each way; the service takes no more.
    #expect(client.fill() < 4 << 20)
    #expect(service.residentBytes - bytes < 1 << 20)
    #expect(service.descriptorCount == before + 1)
    #expect(try witness.isUndisturbed())
  }

  @Test func `A client that never reads is dropped when patience ends`() throws {
    let service = try ServiceProcess.serving(description, options: ["--patience", "1"])
    var witness = try Witness(service, description)
    let before = service.descriptorCount
    let client = try Client(service)
    _ = client.fill()
    try wait("it is dropped") { service.descriptorCount == before }
    #expect(try witness.isUndisturbed())
  }

  @Test func `A client that reads late gets everything`() throws {
    let service = try ServiceProcess.serving(description, options: ["--patience", "60"])
    let client = try Client(service)
    let frameCount = client.fill() / 24
    let expected = try expectedReplies(
      Model(description), [Float](repeating: 0, count: 6 * frameCount))
    #expect(try expected.allSatisfy { try client.reply() == $0 })
  }

  @Test func `One client too many is refused, and welcome when another has left`() throws {
    let service = try ServiceProcess.serving(description, options: ["--connections", "2"])
    var witness = try Witness(service, description)
    var second: Client? = try Client(service)
    #expect(second?.isWelcome == true)
    let third = try Client(service)
    #expect(third.hello[2] == 1 && third.isClosed())
    #expect(try witness.isUndisturbed())
    let before = service.descriptorCount
    second = nil
    try wait("it is gone") { service.descriptorCount == before - 1 }
    #expect(try Client(service).isWelcome)
  }

  @Test func `A service without descriptors to spare refuses, and goes on`() throws {
    let service = try ServiceProcess.serving(description, descriptors: 16)
    var witness = try Witness(service, description)
    let before = service.descriptorCount
    do {
      let clients = try (0..<20).map { _ in try Client(service) }
      let welcome = clients.filter(\.isWelcome).count
      #expect(welcome == 16 - before)
      #expect(clients.allSatisfy { $0.isWelcome || $0.isClosed() })
      #expect(try witness.isUndisturbed())
    }
    try wait("all are gone") { service.descriptorCount == before }
    #expect(try Client(service).isWelcome)
    #expect(try witness.isUndisturbed())
  }

  @Test func `2,000 clients that come and go leave nothing behind`() throws {
    let service = try ServiceProcess.serving(description)
    let before = service.descriptorCount
    func comeAndGo(_ count: Int) throws {
      for index in 0..<count {
        let client = try Client(service)
        if index % 2 == 0 { _ = try client.ask([1, 2, 3, 4, 5, 6]) }
        if index % 3 == 0 { try client.send(bytes: [1, 2, 3]) }
      }
      try wait("all are gone") { service.descriptorCount == before }
    }
    let margin = 256 << 10
    try comeAndGo(100)
    let bytes = service.residentBytes
    try comeAndGo(2_000)
    #expect(service.residentBytes - bytes < margin)
    // Clients that stay are seen both ways.
    let clients = try (0..<100).map { _ in try Client(service) }
    #expect(service.residentBytes - bytes > margin)
    #expect(service.descriptorCount == before + clients.count)
    #expect(clients.allSatisfy { $0.isWelcome })
  }
}

import Runnel
import TestSupport
import Testing

@Suite struct StreamTests {
  private let description = RandomModels.stack(
    .gruResetAfter, inputSize: 12, hiddenSize: 32, headSize: 9, seed: 1)

  @Test func `A hello says what frames and predictions consist of`() throws {
    let service = try ServiceProcess.serving(description)
    let client = try Client(service)
    #expect(client.hello == [0x4E4E_5552, 0x312F_4C45, 0, 12, 9])
  }

  /// Every client sends what it likes, in pieces that begin and end anywhere, while 99 others do.
  @Test func `100 streams at once each get the bits of a session of their own`() throws {
    let model = try Model(description)
    let service = try ServiceProcess.serving(description)
    let frameCount = 60
    let seed: UInt64 = 7
    let frames = (0..<100).map { stream in
      RandomModels.frames(frameCount, of: description.programs[0], seed: seed + UInt64(stream))
    }
    let clients = try frames.map { _ in try Client(service) }
    let bytes = frames.map { $0.flatMap { Client.bytes($0.bitPattern) } }
    let frameBytes = 4 * model.frameSize

    var random = SplitMix64(seed: seed)
    var sent = [Int](repeating: 0, count: clients.count)
    var replies = [[Reply]](repeating: [], count: clients.count)
    var busy = Array(clients.indices)
    while !busy.isEmpty {
      busy.shuffle(using: &random)
      for stream in busy {
        let end = min(sent[stream] + 1 + random.index(3 * frameBytes), bytes[stream].count)
        try clients[stream].send(bytes: bytes[stream][sent[stream]..<end])
        sent[stream] = end
      }
      for stream in busy {
        while replies[stream].count < sent[stream] / frameBytes {
          replies[stream].append(try clients[stream].reply())
        }
      }
      busy.removeAll { sent[$0] == bytes[$0].count }
    }

    let expected = try frames.map { try expectedReplies(model, $0) }
    for stream in clients.indices {
      #expect(replies[stream] == expected[stream], "stream \(stream), seed \(seed)")
    }
    // Two streams that were swapped would be noticed, at every frame.
    for frame in 0..<frameCount {
      #expect(Set(expected.map { $0[frame].prediction }).count == clients.count)
    }
  }

  @Test(arguments: [Float.nan, .signalingNaN, .infinity, -.infinity])
  func `A frame that is not finite gets an error, and the stream goes on`(bad: Float) throws {
    let model = try Model(description)
    let service = try ServiceProcess.serving(description)
    let client = try Client(service)
    let frames = RandomModels.frames(20, of: description.programs[0], seed: 3)
    let expected = try expectedReplies(model, frames)
    for (index, expected) in expected.enumerated() {
      let frame = frames[12 * index..<12 * (index + 1)]
      if index % 5 == 2 {
        var badFrame = Array(frame)
        badFrame[7] = bad
        let refusal = Reply(status: 1, index: 7, prediction: [UInt32](repeating: 0, count: 9))
        #expect(try client.ask(badFrame) == refusal)
      }
      #expect(try client.ask(frame) == expected)
    }
  }

  @Test func `An index that does not exist gets an error, and the stream goes on`() throws {
    let description = RandomModels.everyOperation(seed: 5)
    let model = try Model(description)
    let service = try ServiceProcess.serving(description)
    let client = try Client(service)
    let frames = RandomModels.frames(2, of: description.programs[0], seed: 3)
    let expected = try expectedReplies(model, frames)
    let size = model.frameSize
    #expect(try client.ask(frames[..<size]) == expected[0])
    let token = try #require(model.programs[0].inputs.first { $0.indexLimit != nil }).range
    var bad = Array(frames[size...])
    bad[token.lowerBound] = 7
    let refusal = try client.ask(bad)
    #expect(refusal.status == 2 && refusal.index == UInt32(token.lowerBound))
    #expect(try client.ask(frames[size...]) == expected[1])
  }

  @Test func `A prediction that no float can hold gets an error`() throws {
    let description = ModelDescription(
      programs: [
        ProgramDescription(
          inputs: [InputPort(name: "frame", size: 1)],
          operations: [.dense(input: 0, weights: 0, bias: 1)],
          outputs: [OutputPort(name: "prediction", slot: 1)])
      ],
      tensors: [
        TensorDescription(name: "weights", shape: [1, 1], values: [1e30]),
        TensorDescription(name: "bias", shape: [1], values: [0]),
      ])
    let client = try Client(ServiceProcess.serving(description))
    #expect(try client.ask([1e30]) == Reply(status: 3, prediction: [0]))
    #expect(try client.ask([2]) == Reply(prediction: [Float(2e30).bitPattern]))
  }

  @Test func `A client that says goodbye gets the rest of its replies`() throws {
    let model = try Model(description)
    let client = try Client(ServiceProcess.serving(description))
    let frames = RandomModels.frames(500, of: description.programs[0], seed: 4)
    try client.send(frames)
    client.endInput()
    #expect(try expectedReplies(model, frames).allSatisfy { try client.reply() == $0 })
    #expect(client.isClosed())
  }
}

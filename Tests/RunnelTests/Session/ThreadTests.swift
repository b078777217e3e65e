import Runnel
import TestSupport
import Testing

@Suite struct ThreadTests {
  @Test
  func `one model serves sessions on many threads at once, each with the bits it gives alone`()
    async throws
  {
    let description = RandomModels.stack(.lstm, inputSize: 4, hiddenSize: 40, layers: 2, seed: 1)
    let model = try Model(description)
    let streams = (0..<8).map {
      RandomModels.frames(500, of: description.programs[0], seed: UInt64($0))
    }
    let alone = try streams.map { try predictions(Session(model), $0) }
    #expect(alone[0] != alone[1])
    let together = try await withThrowingTaskGroup(of: (Int, [Float]).self) { group in
      for (index, frames) in streams.enumerated() {
        group.addTask { (index, try predictions(Session(model), frames)) }
      }
      return try await group.reduce(into: [Int: [Float]]()) { $0[$1.0] = $1.1 }
    }
    for index in streams.indices { #expect(together[index] == alone[index]) }
  }

  /// The predictions of a stream from its session's start.
  private func predictions(_ session: consuming Session, _ frames: [Float]) throws -> [Float] {
    let size = session.model.frameSize
    return try stride(from: 0, to: frames.count, by: size).flatMap { first in
      try session.step(Array(frames[first..<first + size]))
    }
  }
}

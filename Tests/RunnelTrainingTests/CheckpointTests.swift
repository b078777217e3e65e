import Foundation
import Runnel
import RunnelTraining
import Testing

@Suite struct CheckpointTests {
  private static let optimizers: [OptimizerSpecification] = [
    .sgd(), .sgd(momentum: 0.9), .rmsprop(), .adam(), .adamW(),
  ]

  /// A trainer with all that is random, or remembered, in it: 7 minibatches in each of 3 epochs.
  private func trainer(
    _ optimizer: OptimizerSpecification = .adam(), epochs: Int = 3, seed: UInt64 = 6
  ) throws -> Trainer {
    try Trainer(
      specification: Problem.noisyNetwork(.gru(hidden: 8, variant: .resetAfter)),
      settings: TrainingSettings(
        epochs: epochs, batchSize: 8, window: 4, optimizer: optimizer,
        schedule: .oneCycle(peak: 0.02), averaging: 0.95, patience: 3, minimumCropFraction: 0.7,
        seed: seed),
      training: Problem.raised(count: 50), validation: Problem.raised(count: 10, seed: 2))
  }

  /// Runs `body` with a path in a folder of its own.
  private func withPath(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.appending(path: "checkpoint").path())
  }

  /// Stops after so many minibatches, which leaves a checkpoint.
  private func stop(_ trainer: Trainer, after minibatches: Int, path: String) throws {
    var seen = 0
    #expect(throws: TrainingError.stopped(epoch: minibatches / 7, minibatch: minibatches % 7)) {
      try trainer.run(checkpoint: CheckpointPlan(path: path)) { progress in
        if progress.completedEpoch == nil { seen += 1 }
        return seen == minibatches ? .stop : .proceed
      }
    }
  }

  @Test(arguments: optimizers, [1, 7, 10, 20])
  func `A resumed run gives the bits of the uninterrupted one`(
    _ optimizer: OptimizerSpecification, minibatches: Int
  ) throws {
    let whole = try trainer(optimizer).run()
    try withPath { path in
      try stop(trainer(optimizer), after: minibatches, path: path)
      let resumed = try trainer(optimizer).run(checkpoint: CheckpointPlan(path: path))
      #expect(resumed.parameters == whole.parameters)
      #expect(resumed.history == whole.history)
      #expect(resumed.epoch == whole.epoch)
    }
  }

  @Test func `A finished run is given back at once`() throws {
    try withPath { path in
      let plan = CheckpointPlan(path: path)
      let first = try trainer().run(checkpoint: plan)
      var calls = 0
      let second = try trainer().run(checkpoint: plan) { _ in
        calls += 1
        return .proceed
      }
      #expect(calls == 0)
      #expect(first.parameters == second.parameters)
    }
  }

  @Test func `A checkpoint is written every so many minibatches`() throws {
    try withPath { path in
      var files: Set<Data> = []
      _ = try trainer().run(checkpoint: CheckpointPlan(path: path, minibatches: 3)) { _ in
        if let data = try? Data(contentsOf: URL(filePath: path)) { files.insert(data) }
        return .proceed
      }
      // In each epoch, after 3 and 6 minibatches and at its end; the last one is not looked at.
      #expect(files.count == 8)
    }
  }

  @Test func `A checkpoint of other settings is refused`() throws {
    try withPath { path in
      try stop(trainer(), after: 2, path: path)
      for other in [try trainer(epochs: 4), try trainer(seed: 7), try trainer(.rmsprop())] {
        #expect(throws: TrainingError.checkpointMismatch) {
          try other.run(checkpoint: CheckpointPlan(path: path))
        }
      }
    }
  }

  @Test func `A checkpoint that is cut or has a flipped bit is refused`() throws {
    try withPath { path in
      try stop(trainer(), after: 2, path: path)
      let bytes = try Data(contentsOf: URL(filePath: path))
      let trainer = try trainer()
      var random = RandomGenerator(seed: 1, purpose: .split)
      for _ in 0..<40 {
        var damaged = bytes
        damaged[random.index(below: bytes.count)] ^= 1 << UInt8(random.index(below: 8))
        for data in [damaged, bytes.prefix(random.index(below: bytes.count))] {
          try data.write(to: URL(filePath: path))
          #expect(throws: TrainingError.checkpointDamaged) {
            try trainer.run(checkpoint: CheckpointPlan(path: path))
          }
          #expect(try Data(contentsOf: URL(filePath: path)) == data)
        }
      }
    }
  }

  @Test func `A checkpoint in a folder that is not there says so`() throws {
    try withPath { path in
      #expect(throws: TrainingError.checkpointFile(.file(errno: ENOENT))) {
        try trainer().run(checkpoint: CheckpointPlan(path: path + "/missing/checkpoint"))
      }
    }
  }

  @Test func `Divergence stops the run and leaves the last good checkpoint`() throws {
    let sequences = (0..<8).map {
      TrainingSequence(
        inputs: [Float](repeating: Float($0), count: 30), length: 30,
        targets: .valuesAtLast([Float($0)]))
    }
    func trainer() throws -> Trainer {
      try Trainer(
        specification: NetworkSpecification(
          input: .vector(size: 1), layers: [.rnn(hidden: 8, activation: .relu), .dense(size: 1)],
          loss: .meanSquaredError),
        settings: TrainingSettings(
          epochs: 50, batchSize: 8, optimizer: .sgd(), schedule: .constant(rate: 1e3),
          clipNorm: nil),
        training: sequences)
    }
    try withPath { path in
      var good = 0
      var error: TrainingError?
      do {
        _ = try trainer().run(checkpoint: CheckpointPlan(path: path)) {
          good = $0.completedEpoch?.epoch ?? good
          return .proceed
        }
      } catch let thrown as TrainingError { error = thrown }
      #expect(error == .diverged(epoch: good + 1, minibatch: 1))
      #expect(good >= 1)
      #expect(throws: error!) { try trainer().run(checkpoint: CheckpointPlan(path: path)) }
    }
  }
}

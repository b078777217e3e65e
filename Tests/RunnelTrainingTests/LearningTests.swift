import Runnel
import RunnelTraining
import Testing

@Suite struct LearningTests {
  /// Trains on the adding problem; returns the loss on other sequences.
  ///
  /// Guessing the mean gives 1/6.
  private func lossOfAdding(_ cell: LayerSpecification, rate: Double) throws -> Double {
    let sequences = Problem.adding(count: 600, length: 8)
    let trainer = try Trainer(
      specification: NetworkSpecification(
        input: .vector(size: 2), layers: [cell, .dense(size: 1)], loss: .meanSquaredError),
      settings: TrainingSettings(
        epochs: 40, batchSize: 16, schedule: .cosine(rate: rate), seed: 1),
      training: Array(sequences[..<500]))
    return try trainer.run().evaluate(Array(sequences[500...])).loss
  }

  @Test(arguments: Problem.cells)
  func `Every cell learns the adding problem at lag 8`(_ cell: LayerSpecification) throws {
    #expect(try lossOfAdding(cell, rate: 1e-2) < 0.03)
  }

  @Test func `Nothing learns the adding problem at rate 0`() throws {
    #expect(try lossOfAdding(.lstm(hidden: 16), rate: 0) > 0.1)
  }

  @Test(arguments: Problem.cells)
  func `Every cell learns to spell hello`(_ cell: LayerSpecification) throws {
    let trainer = try Trainer(
      specification: NetworkSpecification(
        input: .index(size: 4), layers: [.embedding(size: 4), cell, .dense(size: 4)],
        loss: .softmaxCrossEntropy),
      settings: TrainingSettings(epochs: 150, schedule: .constant(rate: 1e-2)),
      training: [Problem.hello])
    let evaluation = try trainer.run().evaluate([Problem.hello])
    #expect(evaluation.metric == 1)
    #expect(evaluation.loss < 0.05)
  }

  @Test(arguments: [
    OptimizerSpecification.sgd(), .sgd(momentum: 0.9), .rmsprop(), .adam(), .adamW(),
  ])
  func `Every optimizer lowers the loss`(_ optimizer: OptimizerSpecification) throws {
    let rate =
      switch optimizer {
      case .sgd: 0.05
      default: 0.005
      }
    let trainer = try Trainer(
      specification: Problem.noisyNetwork(.gru(hidden: 16, variant: .resetAfter)),
      settings: TrainingSettings(
        epochs: 15, optimizer: optimizer, schedule: .constant(rate: rate)),
      training: Problem.raised(count: 120))
    let history = try trainer.run().history
    #expect(history[14].training.loss < 0.5 * history[0].training.loss)
  }

  @Test func `Frames without weight are not learnt`() throws {
    var sequence = Problem.hello
    sequence.frameWeights = [1, 1, 0, 1]
    let trainer = try Trainer(
      specification: NetworkSpecification(
        input: .index(size: 4),
        layers: [.embedding(size: 4), .gru(hidden: 16, variant: .resetAfter), .dense(size: 4)],
        loss: .softmaxCrossEntropy),
      settings: TrainingSettings(epochs: 100, schedule: .constant(rate: 1e-2)),
      training: [sequence])
    sequence.targets = .classPerFrame([1, 2, 0, 3])
    let other = try Trainer(
      specification: trainer.specification, settings: trainer.settings, training: [sequence])
    #expect(try trainer.run().parameters == other.run().parameters)
  }
}

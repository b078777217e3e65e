import Runnel
import RunnelTraining
import Testing

@Suite struct EarlyStoppingTests {
  /// Few noisy sequences, so that the network soon learns them by heart.
  private func overfitting(patience: Int?) throws -> (TrainedNetwork, Trainer) {
    var training = Problem.raised(count: 12, seed: 5)
    for index in stride(from: 0, to: 12, by: 4) { training[index].targets = .classAtLast(2) }
    let trainer = try Trainer(
      specification: NetworkSpecification(
        input: .vector(size: 3), layers: [.lstm(hidden: 16), .dense(size: 3)],
        loss: .softmaxCrossEntropy),
      settings: TrainingSettings(
        epochs: 60, schedule: .constant(rate: 0.02), patience: patience),
      training: training, validation: Problem.raised(count: 60, seed: 6))
    return (try trainer.run(), trainer)
  }

  @Test func `Training stops when the validation loss has not fallen for a while`() throws {
    let (network, _) = try overfitting(patience: 4)
    #expect(network.history.count < 60)
    #expect(network.epoch == network.history.count - 4)
  }

  @Test func `The network with the lowest validation loss is kept`() throws {
    let (network, trainer) = try overfitting(patience: 4)
    let losses = network.history.map { $0.validation!.loss }
    #expect(losses[network.epoch - 1] == losses.min())
    #expect(
      try network.evaluate(trainer.validation) == network.history[network.epoch - 1].validation)
  }

  @Test func `Without patience all epochs are trained, and the best is still kept`() throws {
    let (network, _) = try overfitting(patience: nil)
    #expect(network.history.count == 60)
    #expect(network.epoch < 60)
  }

  @Test func `A share of each class is set aside`() throws {
    let trainer = try Trainer(
      specification: Problem.noisyNetwork(.lstm(hidden: 4)),
      settings: TrainingSettings(epochs: 1, validationFraction: 0.2),
      training: Problem.raised(count: 150))
    #expect(trainer.training.count == 120)
    for label in 0..<3 {
      #expect(trainer.validation.filter { $0.targets == .classAtLast(label) }.count == 10)
    }
    #expect(trainer.validation.allSatisfy { !trainer.training.contains($0) })
  }

  @Test func `The moving average is what is validated and given`() throws {
    func parameters(_ averaging: Float?) throws -> TrainedNetwork {
      try Trainer(
        specification: Problem.noisyNetwork(.lstm(hidden: 4)),
        settings: TrainingSettings(
          epochs: 2, schedule: .constant(rate: 0.01), averaging: averaging),
        training: Problem.raised(count: 60), validation: Problem.raised(count: 9, seed: 3)
      ).run()
    }
    let (plain, averaged) = (try parameters(nil), try parameters(0.99))
    #expect(plain.parameters != averaged.parameters)
    #expect(plain.history[1].training.loss == averaged.history[1].training.loss)
    #expect(plain.history[1].validation != averaged.history[1].validation)
  }

  @Test func `Progress is told after every minibatch and every epoch`() throws {
    var told: [TrainingProgress] = []
    let network = try Trainer(
      specification: Problem.noisyNetwork(.lstm(hidden: 4)),
      settings: TrainingSettings(epochs: 2, batchSize: 8), training: Problem.raised(count: 20)
    ).run {
      told.append($0)
      return .proceed
    }
    #expect(told.map(\.epoch) == [1, 1, 1, 1, 2, 2, 2, 2])
    #expect(told.map(\.minibatch) == [1, 2, 3, 3, 1, 2, 3, 3])
    #expect(zip(told, told.dropFirst()).allSatisfy { $0.fraction <= $1.fraction })
    #expect(told.last!.fraction == 1)
    #expect(told.last!.secondsLeft == 0)
    #expect(told.compactMap(\.completedEpoch) == network.history)
  }
}

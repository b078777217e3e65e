import RunnelLab
import RunnelTraining
import Testing

@Suite struct LossProbeTests {
  private static let task = AddingProblem(length: 7)
  private static let sequences = task.sequences(3, seed: 5, split: .test)

  private static func probe(_ cell: Cell) throws -> LossProbe {
    try LossProbe(task.network(cell.layer(hidden: 4)), seed: 2)
  }

  /// The norm of the gradient of a sequence's loss by the states `lag` frames before its end, from
  /// five points around each state (error O(step⁴)).
  private func difference(_ probe: LossProbe, _ sequence: TrainingSequence, lag: Int) -> Double {
    let unroll = Unroll<Double>(probe.network)
    func run(_ frames: Range<Int>) {
      unroll.begin(Window(lengths: [frames.count]))
      for i in 0..<(2 * frames.count) {
        unsafe unroll.input[i] = Double(sequence.inputs[2 * frames.lowerBound + i])
      }
      unsafe unroll.forward(parameters: probe.parameters, random: nil)
    }
    let step = 1e-3
    func loss(_ state: Int, _ offset: Double) -> Double {
      unroll.reset(streams: 1)
      if lag < sequence.length { run(0..<(sequence.length - lag)) }
      unsafe unroll.states[state] += offset
      run((sequence.length - lag)..<sequence.length)
      guard case .valuesAtLast(let values) = sequence.targets else { return .nan }
      let error = unsafe unroll.output[lag - 1] - Double(values[0])
      return error * error
    }
    return (0..<unroll.network.stateSize).map { state in
      (8 * (loss(state, step) - loss(state, -step))
        - (loss(state, 2 * step) - loss(state, -2 * step))) / (12 * step)
    }.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }

  @Test(arguments: Cell.allCases)
  func `The norms of the states' gradients agree with differences`(cell: Cell) throws {
    let probe = try Self.probe(cell)
    let lags = Array(1...7)
    for (lag, norms) in zip(lags, probe.stateGradientNorms(Self.sequences, lags: lags)) {
      for (sequence, norm) in zip(Self.sequences, norms) {
        #expect(abs(difference(probe, sequence, lag: lag) / norm - 1) < 1e-6)
      }
    }
  }

  @Test(arguments: Cell.allCases)
  func `Norms that are wrong by a hundred-thousandth are caught`(cell: Cell) throws {
    let probe = try Self.probe(cell)
    let norm = probe.stateGradientNorms(Self.sequences, lags: [4])[0][0] * (1 + 1e-5)
    #expect(abs(difference(probe, Self.sequences[0], lag: 4) / norm - 1) > 1e-6)
  }

  @Test func `A trained network is probed with what it has learnt`() throws {
    let trainer = try Trainer(
      specification: Self.task.network(.gru(hidden: 4, variant: .resetAfter)),
      settings: TrainingSettings(epochs: 2, seed: 2, threads: 1), training: Self.sequences)
    let probe = try LossProbe(try trainer.run())
    #expect(probe.parameters.count == trainer.parameterCount)
    #expect(try probe.parameters != Self.probe(.gru).parameters)
  }

  /// The mean norm 50 frames back, beside that one frame back, of a vanilla RNN.
  private func reach(radius: Double) throws -> Double {
    let task = AddingProblem(length: 60)
    var probe = try LossProbe(task.network(Cell.rnn.layer(hidden: 30)), seed: 1)
    probe.scaleRecurrentWeights(toRadius: radius)
    let norms = probe.stateGradientNorms(task.sequences(4, seed: 1, split: .test), lags: [1, 50])
    return norms[1].reduce(0, +) / norms[0].reduce(0, +)
  }

  @Test func `Gradients vanish where the spectral radius is below one`() throws {
    #expect(try reach(radius: 0.5) < 1e-10)
  }

  @Test func `Gradients explode where the spectral radius is well above one`() throws {
    #expect(try reach(radius: 2) > 2)
  }
}

@Suite struct SpectralRadiusTests {
  @Test func `A complex pair of eigenvalues has the radius of its magnitude`() {
    #expect(abs(spectralRadius([0, -0.9, 0.9, 0], size: 2) - 0.9) < 1e-4)
  }

  @Test func `A triangular matrix has the radius of its largest diagonal element`() {
    let matrix = [0.5, 7, -3, 0, -1.5, 2, 0, 0, 1.2]
    #expect(abs(spectralRadius(matrix, size: 3) - 1.5) < 1e-3)
  }

  @Test func `A matrix whose powers vanish has radius zero`() {
    #expect(spectralRadius([0, 1, 0, 0], size: 2) == 0)
    #expect(spectralRadius([0], size: 1) == 0)
  }

  @Test func `A matrix whose powers overflow or underflow has its radius`() {
    #expect(abs(spectralRadius([1e30], size: 1) / 1e30 - 1) < 1e-9)
    #expect(abs(spectralRadius([-1e-30], size: 1) / 1e-30 - 1) < 1e-9)
  }
}

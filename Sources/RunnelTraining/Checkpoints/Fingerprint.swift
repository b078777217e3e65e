internal import Runnel

/// A number that tells one specification, its settings and its data from any other.
///
/// Two that differ agree by chance once in 2^64; it is no defence against someone who tries.
struct Fingerprint {
  private(set) var value: UInt64 = 0

  mutating func combine(_ number: UInt64) {
    value = Xoshiro256.splitMix(value ^ number)
  }

  mutating func combine(_ number: Int) { combine(UInt64(bitPattern: Int64(number))) }
  mutating func combine(_ number: Float) { combine(UInt64(number.bitPattern)) }
  mutating func combine(_ number: Double) { combine(number.bitPattern) }

  mutating func combine(_ numbers: [Float]) {
    combine(numbers.count)
    for number in numbers { combine(number) }
  }

  mutating func combine(_ numbers: [Int]) {
    combine(numbers.count)
    for number in numbers { combine(number) }
  }

  /// Combines an optional number, so that `nil` differs from every number.
  mutating func combine(_ number: Float?) {
    combine(number == nil ? 0 : 1)
    combine(number ?? 0)
  }
}

extension Fingerprint {
  /// The fingerprint of what determines a run's bits; the number of threads does not.
  init(_ trainer: Trainer) {
    combine(trainer.specification)
    combine(trainer.settings)
    combine(trainer.training)
    combine(trainer.validation)
  }

  private mutating func combine(_ specification: NetworkSpecification) {
    combine(specification.programs.count)
    for program in specification.programs {
      switch program.input {
      case .vector(let size): combine([0, size])
      case .index(let size): combine([1, size])
      }
      combine(program.normalises ? 1 : 0)
      combine(program.layers.count)
      for layer in program.layers { combine(layer) }
    }
    switch specification.loss {
    case .softmaxCrossEntropy: combine(0)
    case .sigmoidCrossEntropy: combine(1)
    case .meanSquaredError: combine(2)
    }
  }

  private mutating func combine(_ layer: LayerSpecification) {
    switch layer {
    case .rnn(let hidden, .tanh): combine([0, hidden])
    case .rnn(let hidden, .relu): combine([1, hidden])
    case .lstm(let hidden): combine([2, hidden])
    case .gru(let hidden, .resetAfter): combine([3, hidden])
    case .gru(let hidden, .resetBefore): combine([4, hidden])
    case .dense(let size): combine([5, size])
    case .embedding(let size): combine([6, size])
    case .dropout(let rate): combine([7, Int(rate.bitPattern)])
    case .noise(let deviation): combine([8, Int(deviation.bitPattern)])
    case .tanh: combine([9])
    case .sigmoid: combine([10])
    case .relu: combine([11])
    case .offset(let deviation): combine([12, Int(deviation.bitPattern)])
    case .state(let hidden, let hasCell): combine([13, hidden, hasCell ? 1 : 0])
    }
  }

  private mutating func combine(_ settings: TrainingSettings) {
    combine([settings.epochs, settings.batchSize, settings.window ?? 0, settings.patience ?? 0])
    combine(settings.optimizer)
    combine(settings.schedule)
    combine(settings.clipNorm)
    combine(settings.labelSmoothing)
    combine(settings.averaging)
    combine(settings.minimumCropFraction)
    combine(settings.buckets ? 1 : 0)
    combine(settings.scheduledSampling)
    combine(settings.seed)
  }

  private mutating func combine(_ optimizer: OptimizerSpecification) {
    func combineAll(_ kind: Int, _ numbers: Double...) {
      combine(kind)
      for number in numbers { combine(number) }
    }
    switch optimizer {
    case .sgd(let momentum): combineAll(0, momentum)
    case .rmsprop(let smoothing, let epsilon): combineAll(1, smoothing, epsilon)
    case .adam(let beta1, let beta2, let epsilon): combineAll(2, beta1, beta2, epsilon)
    case .adamW(let beta1, let beta2, let epsilon, let decay):
      combineAll(3, beta1, beta2, epsilon, decay)
    }
  }

  private mutating func combine(_ schedule: LearningRateSchedule) {
    func combineAll(_ kind: Int, _ numbers: Double...) {
      combine(kind)
      for number in numbers { combine(number) }
    }
    switch schedule {
    case .constant(let rate): combineAll(0, rate)
    case .step(let rate, let factor, let epochs): combineAll(1, rate, factor, Double(epochs))
    case .cosine(let rate, let final): combineAll(2, rate, final)
    case .warmUpCosine(let rate, let warmUp, let final): combineAll(3, rate, warmUp, final)
    case .oneCycle(let peak, let warmUp): combineAll(4, peak, warmUp)
    }
  }

  private mutating func combine(_ sequences: [TrainingSequence]) {
    combine(sequences.count)
    for sequence in sequences {
      for context in sequence.context {
        combine(context.length)
        combine(context.inputs)
      }
      combine(sequence.length)
      combine(sequence.inputs)
      switch sequence.targets {
      case .classAtLast(let target): combine([0, target])
      case .classPerFrame(let targets): combine([1] + targets)
      case .valuesAtLast(let values):
        combine(2)
        combine(values)
      case .valuesPerFrame(let values):
        combine(3)
        combine(values)
      }
      combine(sequence.frameWeights == nil ? 0 : 1)
      combine(sequence.frameWeights ?? [])
    }
  }
}

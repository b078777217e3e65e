package import Runnel

/// The recurrent cells.
package enum Cell: CaseIterable, Sendable {
  case rnnTanh, rnnReLU, lstm, gruResetAfter, gruResetBefore
}

/// Makers of models with random weights.
package enum RandomModels {
  /// A stack of recurrent layers of one kind and size, with a dense layer on top if `headSize` is
  /// not `nil`.
  ///
  /// Weights are uniform in ±1/√H, as PyTorch starts them.
  package static func stack(
    _ cell: Cell, inputSize: Int, hiddenSize: Int, layers: Int = 1, headSize: Int? = nil,
    seed: UInt64
  ) -> ModelDescription {
    var maker = ModelMaker(seed: seed)
    let bound = 1 / Float(hiddenSize).squareRoot()
    var slot = maker.input("frame", size: inputSize)
    var size = inputSize
    for layer in 0..<layers {
      slot = maker.layer(
        cell, "layer\(layer)", input: slot, inputSize: size, hiddenSize: hiddenSize, bound: bound)
      size = hiddenSize
    }
    if let headSize {
      slot = maker.dense("head", input: slot, inputSize: size, outputSize: headSize, bound: bound)
    }
    return maker.finish(outputs: [OutputPort(name: "prediction", slot: slot)])
  }

  /// One dense layer, with weights in ±1/√columns.
  package static func dense(columns: Int, rows: Int, seed: UInt64) -> ModelDescription {
    var maker = ModelMaker(seed: seed)
    let slot = maker.dense(
      "dense", input: maker.input("frame", size: columns), inputSize: columns, outputSize: rows,
      bound: 1 / Float(columns).squareRoot())
    return maker.finish(outputs: [OutputPort(name: "prediction", slot: slot)])
  }

  /// A model with every operation that runs in each step: two inputs of which one is an index, skips,
  /// outputs, an initial state, and a second program that shares states with the first.
  package static func everyOperation(seed: UInt64) -> ModelDescription {
    var maker = ModelMaker(seed: seed)
    let frame = maker.input("frame", size: 5)
    let token = maker.input("token", kind: .index, size: 7)
    let embedded = maker.add(
      .embedding(index: token, table: maker.tensor("embedding.table", [7, 4], bound: 1)))
    let normal = maker.add(
      .affine(
        input: frame, scale: maker.tensor("affine.scale", [5], bound: 2),
        shift: maker.tensor("affine.shift", [5], bound: 1)))
    let joined = maker.add(.concatenate([normal, embedded, frame]))
    var hidden: [Int] = []
    for (cell, size) in [(Cell.rnnTanh, 3), (.rnnReLU, 3), (.lstm, 6)] {
      hidden.append(
        maker.layer(
          cell, "\(cell)", input: joined, inputSize: 14, hiddenSize: size, bound: 0.5))
    }
    let sum = maker.add(.add(hidden[0], hidden[1]))
    let product = maker.add(.multiply(sum, hidden[1]))
    let after = maker.layer(
      .gruResetAfter, "gruResetAfter", input: hidden[2], inputSize: 6, hiddenSize: 4, bound: 0.5)
    let before = maker.layer(
      .gruResetBefore, "gruResetBefore", input: product, inputSize: 3, hiddenSize: 4, bound: 0.5)
    let skip = maker.add(.add(after, before))
    let logits = maker.dense("head", input: skip, inputSize: 4, outputSize: 3, bound: 0.5)
    let bent = maker.add(
      .elu(
        input: maker.add(
          .prelu(input: logits, slope: maker.tensor("prelu.slope", [3], bound: 2))),
        scale: maker.tensor("elu.scale", [3], bound: 2)))
    let normalised = maker.add(
      .layerNorm(
        input: maker.add(.gelu(bent)), scale: maker.tensor("layerNorm.scale", [3], bound: 1),
        shift: maker.tensor("layerNorm.shift", [3], bound: 1),
        epsilon: maker.tensor("layerNorm.epsilon", values: [0.25])))
    let clipped = maker.add(
      .clip(
        input: normalised, low: maker.tensor("clip.low", values: [-0.5, -0.25, 0]),
        high: maker.tensor("clip.high", values: [0.25, 0.5, 0.25])))
    // A mean that follows its input, and a state that is read after it has been written.
    let slow = maker.state("slow", size: 3)
    let followed = maker.add(
      .store(
        maker.add(
          .add(
            maker.add(
              .affine(
                input: maker.add(.recall(slow)),
                scale: maker.tensor("slow.scale", values: [0.5, 0.25, -0.5]),
                shift: maker.tensor("slow.shift", [3], bound: 0.1))), clipped)), state: slow))
    let latest = maker.add(.add(maker.add(.recall(slow)), followed))
    let root = maker.add(.squareRoot(maker.add(.softplus(bent))))
    let pooled = convolutions(of: clipped, &maker)
    let outputs = [
      OutputPort(name: "softmax", slot: maker.add(.softmax(logits))),
      OutputPort(name: "sigmoid", slot: maker.add(.sigmoid(logits))),
      OutputPort(name: "tanh", slot: maker.add(.tanh(logits))),
      OutputPort(name: "relu", slot: maker.add(.relu(skip))),
      OutputPort(name: "frame", slot: frame),
      OutputPort(name: "clip", slot: clipped),
      OutputPort(name: "slow", slot: latest),
      OutputPort(name: "divide", slot: maker.add(.divide(normalised, by: root))),
      OutputPort(name: "pooled", slot: pooled),
    ]
    maker.model.states[0].initial = maker.tensor("rnnTanh.initial", [3], bound: 1)
    var model = maker.finish(outputs: outputs)
    model.programs.append(decoder(of: model))
    return model
  }

  /// Convolutions and pooling of three frames of a slot of three numbers, and of padding.
  private static func convolutions(of slot: Int, _ maker: inout ModelMaker) -> Int {
    let frames = maker.add(
      .window(slot, state: maker.state("past", size: 12), dilation: 2))
    let padded = maker.add(
      .gather(
        frames, numbers: maker.tensor("padding", values: [-1, -1, -1] + (0..<9).map(Float.init))))
    let convolved = maker.add(
      .convolution(
        input: padded, weights: maker.tensor("convolution.weights", [4, 6], bound: 0.5),
        bias: maker.tensor("convolution.bias", [4], bound: 0.5), stride: 3))
    let depthwise = maker.add(
      .depthwise(
        input: convolved, weights: maker.tensor("depthwise.weights", [2, 4], bound: 0.5),
        bias: maker.tensor("depthwise.bias", [4], bound: 0.5), stride: 4))
    let pooled = maker.add(.maximum(depthwise, width: 4, count: 2, stride: 4))
    return maker.add(
      .logarithm(maker.add(.exponential(maker.add(.errorFunction(pooled))))))
  }

  /// A model that answers every third frame, from the second on: a GRU before, and an LSTM behind.
  package static func everyThirdFrame(
    inputSize: Int = 5, hiddenSize: Int = 6, seed: UInt64
  ) -> ModelDescription {
    var maker = ModelMaker(seed: seed)
    let frame = maker.input("frame", size: inputSize)
    let first = maker.layer(
      .gruResetAfter, "first", input: frame, inputSize: inputSize, hiddenSize: hiddenSize,
      bound: 0.5)
    let countdown = maker.state("countdown", size: 1)
    let third = maker.add(.every(first, stride: 3, state: countdown))
    let second = maker.layer(
      .lstm, "second", input: third, inputSize: hiddenSize, hiddenSize: hiddenSize, bound: 0.5)
    let sum = maker.state("sum", size: hiddenSize)
    let total = maker.add(
      .store(maker.add(.add(maker.add(.recall(sum)), second)), state: sum))
    maker.model.states[countdown].initial = maker.tensor("countdown", values: [1])
    return maker.finish(outputs: [
      OutputPort(name: "second", slot: second), OutputPort(name: "total", slot: total),
    ])
  }

  /// A cell that runs forward in time, and one that runs backward, side by side; the second is made of
  /// other operations if `isMade`.
  package static func bothDirections(
    _ cell: Cell = .lstm, inputSize: Int = 5, hiddenSize: Int = 6, isMade: Bool = false,
    seed: UInt64
  ) -> ModelDescription {
    var maker = ModelMaker(seed: seed)
    let bound = 1 / Float(hiddenSize).squareRoot()
    let frame = maker.input("frame", size: inputSize)
    let forward = maker.layer(
      cell, "forward", input: frame, inputSize: inputSize, hiddenSize: hiddenSize, bound: bound)
    let backward = maker.add(.reverse(frame))
    let result: Int
    if isMade {
      let state = maker.state("made", size: hiddenSize)
      let product = maker.dense(
        "made", input: backward, inputSize: inputSize, outputSize: hiddenSize, bound: bound)
      let recurrent = maker.dense(
        "recurrent", input: maker.add(.recall(state)), inputSize: hiddenSize,
        outputSize: hiddenSize, bound: bound)
      result = maker.add(
        .store(maker.add(.tanh(maker.add(.add(product, recurrent)))), state: state))
    } else {
      result = maker.layer(
        cell, "backward", input: backward, inputSize: inputSize, hiddenSize: hiddenSize,
        bound: bound)
    }
    let both = maker.add(.concatenate([forward, maker.add(.reverse(result))]))
    return maker.finish(outputs: [OutputPort(name: "both", slot: both)])
  }

  /// A program that goes on with the LSTM of another one, on a frame that is what it reads there.
  private static func decoder(of model: ModelDescription) -> ProgramDescription {
    var lstm = model.programs[0].operations.first { $0.code == .lstm }!
    lstm.operands = [0]
    return ProgramDescription(
      name: "decode", inputs: [InputPort(name: "frame", size: 14)],
      operations: [lstm], outputs: [OutputPort(name: "hidden", slot: 1)])
  }

  /// Random frames of a program, one behind the other: vectors in ±1, indices of their range.
  package static func frames(
    _ count: Int, of program: ProgramDescription, seed: UInt64
  ) -> [Float] {
    var random = SplitMix64(seed: seed)
    var frames: [Float] = []
    for _ in 0..<count {
      for input in program.inputs {
        for _ in 0..<input.width {
          frames.append(input.kind == .index ? Float(random.index(input.size)) : random.uniform(1))
        }
      }
    }
    return frames
  }
}

extension ModelDescription {
  /// Adds another model's first program, with its tensors and states, under a name of its own.
  package mutating func append(_ other: ModelDescription, name: String) {
    var program = other.programs[0]
    program.name = name
    for index in program.operations.indices {
      for place in program.operations[index].tensors.indices {
        program.operations[index].tensors[place] += tensors.count
      }
      for place in program.operations[index].states.indices {
        program.operations[index].states[place] += states.count
      }
    }
    states += other.states.map { state in
      StateDescription(
        name: state.name, size: state.size, initial: state.initial.map { $0 + tensors.count })
    }
    tensors += other.tensors
    programs.append(program)
  }

  /// The model with golden frames for every program, as the reference computes them.
  package func withGoldenFrames(_ count: Int, seed: UInt64) -> ModelDescription {
    var model = self
    var reference = ReferenceInterpreter(self)
    model.golden = GoldenFrames(tolerance: 1e-5)
    for (number, program) in programs.enumerated() {
      let frames = RandomModels.frames(count, of: program, seed: seed &+ UInt64(number))
      let predictions = reference.golden(program: number, frames: frames)
      model.golden.runs.append(
        GoldenFrames.Run(
          program: number, startsFromReset: number == 0, frames: frames, predictions: predictions))
    }
    return model
  }
}

extension ReferenceInterpreter {
  /// The predictions as golden frames have them: zeros for frames without one.
  fileprivate mutating func golden(program number: Int, frames: [Float]) -> [Float] {
    let program = model.programs[number]
    guard program.operations.contains(where: { $0.code == .every }) else {
      return run(program: number, frames: frames).map { Float($0) }
    }
    let frameSize = program.inputs.reduce(0) { $0 + $1.width }
    let steps = stride(from: 0, to: frames.count, by: frameSize).map {
      step(program: number, frame: frames[$0..<$0 + frameSize].map(Double.init))
    }
    let size = steps.reduce(0) { max($0, $1.count) }
    return steps.flatMap { $0.isEmpty ? .init(repeating: 0, count: size) : $0.map { Float($0) } }
  }
}

extension Recipe {
  /// What the network is made of, up to the sizes that follow from the data.
  package struct Network: Sendable {
    /// The programs, in the order in which a sequence runs them.
    package let programs: [Program]
    package let loss: Loss
    private let field: JSONField

    /// A program as the recipe has it.
    package struct Program: Sendable {
      package let name: String
      package let normalises: Bool
      /// The layers with where they stand; a last dense layer may leave its size to the data.
      package let layers: [(layer: Layer, field: JSONField)]
    }

    /// A layer as the recipe has it.
    package enum Layer: Sendable {
      case complete(LayerSpecification)
      /// A dense layer as large as a prediction.
      case denseOfPrediction
    }

    init(_ field: JSONField) throws(DataError) {
      self.field = field
      var object = try field.object("normalise", "layers", "programs", "loss")
      if let programs = object.optional("programs") {
        let list = try programs.list()
        var read: [Program] = []
        for (index, field) in list.enumerated() {
          var program = try field.object("name", "normalise", "layers")
          let name = try program.required("name")
          let text = try name.string("the name of a program")
          guard !read.contains(where: { $0.name == text }) else {
            throw name.error(found: "\"\(text)\" again", expected: "each name once")
          }
          read.append(try Self.program(text, &program, isLast: index == list.count - 1))
          try program.finish()
        }
        self.programs = read
      } else {
        programs = [try Self.program("step", &object, isLast: true)]
      }
      loss = try object.required("loss").choice([
        "softmax-cross-entropy": .softmaxCrossEntropy,
        "sigmoid-cross-entropy": .sigmoidCrossEntropy,
        "mean-squared-error": .meanSquaredError,
      ])
      try object.finish()
    }

    private static func program(
      _ name: String, _ object: inout JSONObject, isLast: Bool
    ) throws(DataError) -> Program {
      let normalises = try object.optional("normalise")?.boolean() ?? false
      let list = try object.required("layers").list()
      var layers: [(layer: Layer, field: JSONField)] = []
      for (index, field) in list.enumerated() {
        layers.append((try layer(field, isLast: isLast && index == list.count - 1), field))
      }
      return Program(name: name, normalises: normalises, layers: layers)
    }

    private enum Kind {
      case rnn, lstm, gru, state, dense, embedding, dropout, noise, offset, tanh, sigmoid, relu
    }

    private static func layer(_ field: JSONField, isLast: Bool) throws(DataError) -> Layer {
      var object = try field.object(
        "kind", "hidden", "size", "variant", "activation", "rate", "deviation", "cell")
      let kind = try object.required("kind").choice([
        "rnn": Kind.rnn, "lstm": .lstm, "gru": .gru, "state": .state, "dense": .dense,
        "embedding": .embedding, "dropout": .dropout, "noise": .noise, "offset": .offset,
        "tanh": .tanh, "sigmoid": .sigmoid, "relu": .relu,
      ])
      let sizes = 1...65536
      let layer: LayerSpecification
      switch kind {
      case .rnn:
        layer = .rnn(
          hidden: try object.required("hidden").wholeNumber(sizes),
          activation: try object.optional("activation")?.choice(["tanh": .tanh, "relu": .relu])
            ?? .tanh)
      case .lstm: layer = .lstm(hidden: try object.required("hidden").wholeNumber(sizes))
      case .gru:
        layer = .gru(
          hidden: try object.required("hidden").wholeNumber(sizes),
          variant: try object.optional("variant")?
            .choice(["reset-after": .resetAfter, "reset-before": .resetBefore]) ?? .resetAfter)
      case .state:
        layer = .state(
          hidden: try object.required("hidden").wholeNumber(sizes),
          hasCell: try object.optional("cell")?.boolean() ?? false)
      case .dense:
        guard !isLast || object.optional("size") != nil else {
          try object.finish()
          return .denseOfPrediction
        }
        layer = .dense(size: try object.required("size").wholeNumber(sizes))
      case .embedding: layer = .embedding(size: try object.required("size").wholeNumber(sizes))
      case .dropout:
        layer = .dropout(
          rate: Float(
            try object.required("rate").number("a rate from 0 to below 1") { 0..<1 ~= $0 }))
      case .noise:
        layer = .noise(deviation: try deviation(&object))
      case .offset: layer = .offset(deviation: try deviation(&object))
      case .tanh: layer = .tanh
      case .sigmoid: layer = .sigmoid
      case .relu: layer = .relu
      }
      try object.finish()
      return .complete(layer)
    }

    private static func deviation(_ object: inout JSONObject) throws(DataError) -> Float {
      Float(try object.required("deviation").number("a deviation of at least 0") { $0 >= 0 })
    }

    /// The specification, once the data is known.
    ///
    /// - Parameters:
    ///   - inputs: What a frame of each program holds.
    ///   - outputSize: The size of a prediction: how many classes, tokens or numbers.
    /// - Throws: ``DataError`` when layers and data do not fit together.
    package func specification(
      inputs: [NetworkSpecification.Input], outputSize: Int
    ) throws(DataError) -> NetworkSpecification {
      guard inputs.count == programs.count else {
        throw field.error(
          found: programs.count == 1 ? "one program" : "\(programs.count) programs",
          expected: inputs.count == 1
            ? "one, as the data has one sequence of frames: \"layers\", not \"programs\""
            : "\"programs\", a list of \(inputs.count): one that takes the input in, and one that "
              + "writes the target")
      }
      var specified: [NetworkSpecification.Program] = []
      for (program, input) in zip(programs, inputs) {
        let layers = program.layers.map { layer, _ in
          switch layer {
          case .complete(let layer): layer
          case .denseOfPrediction: LayerSpecification.dense(size: outputSize)
          }
        }
        specified.append(
          NetworkSpecification.Program(
            name: program.name, input: input, normalises: program.normalises, layers: layers))
      }
      let last = zip(specified.last!.layers, programs.last!.layers)
      if let (size, field) = last.reversed().lazy
        .compactMap({ layer, place in layer.size.map { ($0, place.field) } }).first,
        size != outputSize
      {
        throw field.error(
          found: "a network that ends with \(size) outputs",
          expected: "\(outputSize), one for each thing that the data asks to predict")
      }
      return NetworkSpecification(programs: specified, loss: loss)
    }

    /// What the trainer found wrong, with its place in the recipe.
    package func error(_ fault: SpecificationFault, layer: Int) -> DataError {
      let layers = programs.flatMap(\.layers)
      let field = layers.indices.contains(layer) ? layers[layer].field : field
      return switch fault {
      case .programs:
        field.error(found: "programs without a name of their own", expected: "one name for each")
      case .stateInput:
        field.error(
          found: "an input of another size than the state",
          expected: "a layer before it with as many outputs as the state has elements, \"hidden\" "
            + "(twice as many with \"cell\": true)")
      case .sharedState:
        field.error(
          found: "a state of another size than that of the same place in the program before",
          expected: "the same \"hidden\" and the same kind: the first recurrent layers of all "
            + "programs share a state, so do the second ones, and so on")
      case .noLayers:
        field.error(
          found: "no layer that makes a prediction", expected: "one, such as a dense layer")
      case .size: field.error(expected: "a size from 1, and not too many parameters")
      case .rate: field.error(expected: "a rate from 0 to below 1, or a deviation of at least 0")
      case .misplacedEmbedding:
        field.error(
          found: "an embedding here",
          expected: "an embedding only as the first layer, and on an index (\"input\": \"index\")")
      case .indexWithoutEmbedding:
        field.error(
          found: "an index input that goes into no embedding",
          expected: "an embedding as the first layer, or \"input\": \"one-hot\"")
      case .normalisedIndex:
        field.error(found: "\"normalise\" with an index input", expected: "\"normalise\": false")
      }
    }
  }
}

extension LayerSpecification {
  /// The number of outputs, where it is not that of the layer before.
  fileprivate var size: Int? {
    switch self {
    case .rnn(let size, _), .lstm(let size), .gru(let size, _), .dense(let size),
      .embedding(let size),
      .state(let size, _):
      size
    case .dropout, .noise, .offset, .tanh, .sigmoid, .relu: nil
    }
  }
}

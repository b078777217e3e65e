extension Recipe {
  /// What the network is made of, up to the sizes that follow from the data.
  package struct Network: Sendable {
    package let normalises: Bool
    /// The layers with where they stand; a last dense layer may leave its size to the data.
    package let layers: [(layer: Layer, field: JSONField)]
    package let loss: Loss
    private let field: JSONField

    /// A layer as the recipe has it.
    package enum Layer: Sendable {
      case complete(LayerSpecification)
      /// A dense layer as large as a prediction.
      case denseOfPrediction
    }

    init(_ field: JSONField) throws(DataError) {
      self.field = field
      var object = try field.object("normalise", "layers", "loss")
      normalises = try object.optional("normalise")?.boolean() ?? false
      let list = try object.required("layers").list()
      var layers: [(layer: Layer, field: JSONField)] = []
      for (index, field) in list.enumerated() {
        layers.append((try Self.layer(field, isLast: index == list.count - 1), field))
      }
      self.layers = layers
      loss = try object.required("loss").choice([
        "softmax-cross-entropy": .softmaxCrossEntropy,
        "sigmoid-cross-entropy": .sigmoidCrossEntropy,
        "mean-squared-error": .meanSquaredError,
      ])
    }

    private enum Kind {
      case rnn, lstm, gru, dense, embedding, dropout, noise, offset, tanh, sigmoid, relu
    }

    private static func layer(_ field: JSONField, isLast: Bool) throws(DataError) -> Layer {
      var object = try field.object(
        "kind", "hidden", "size", "variant", "activation", "rate", "deviation")
      let kind = try object.required("kind").choice([
        "rnn": Kind.rnn, "lstm": .lstm, "gru": .gru, "dense": .dense, "embedding": .embedding,
        "dropout": .dropout, "noise": .noise, "offset": .offset, "tanh": .tanh,
        "sigmoid": .sigmoid, "relu": .relu,
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
    ///   - input: What a frame holds.
    ///   - outputSize: The size of a prediction: how many classes, characters or numbers.
    /// - Throws: ``DataError`` when layers and data do not fit together.
    package func specification(
      input: NetworkSpecification.Input, outputSize: Int
    ) throws(DataError) -> NetworkSpecification {
      let complete = layers.map { layer, _ in
        switch layer {
        case .complete(let layer): layer
        case .denseOfPrediction: LayerSpecification.dense(size: outputSize)
        }
      }
      if let (size, field) = zip(complete, layers).reversed().lazy
        .compactMap({ layer, place in layer.size.map { ($0, place.field) } }).first,
        size != outputSize
      {
        throw field.error(
          found: "a network that ends with \(size) outputs",
          expected: "\(outputSize), one for each thing that the data asks to predict")
      }
      return NetworkSpecification(
        input: input, normalises: normalises, layers: complete, loss: loss)
    }

    /// What the trainer found wrong, with its place in the recipe.
    package func error(_ fault: SpecificationFault, layer: Int) -> DataError {
      let field = layers.indices.contains(layer) ? layers[layer].field : field
      return switch fault {
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
      .embedding(let size):
      size
    case .dropout, .noise, .offset, .tanh, .sigmoid, .relu: nil
    }
  }
}

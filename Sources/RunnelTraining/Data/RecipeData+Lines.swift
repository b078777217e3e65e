internal import Runnel

extension RecipeData {
  /// Reads files of inputs and targets.
  init(_ source: Recipe.LineSource, loss: Loss, _ recipe: String) throws {
    guard loss == .softmaxCrossEntropy else {
      throw DataError(
        file: recipe, element: "network.loss", found: "a loss on numbers with labels or tokens",
        expected: "\"softmax-cross-entropy\"")
    }
    let train = try source.train.read { try LineTable(path: $0) }
    let reader = try LineDataReader(source, train: train)
    training = try reader.sequences(train)
    validation = try source.validation.map { file in
      try reader.sequences(file.read { try LineTable(path: $0) })
    }
    test = try source.test.map { file in
      try reader.sequences(file.read { try LineTable(path: $0) })
    }
    inputs = reader.inputs
    labels = reader.targets.tokens
    outputSize = labels.count
    features = []
    inputLabels = reader.words?.tokens ?? []
    if case .tokens(let unit) = source.input { inputTokens = unit }
    if case .tokens(let unit) = source.target {
      tokens = unit
      endLabel = Vocabulary.end
    }
  }
}

/// Turns lines into sequences, with the vocabularies that the training lines settle.
private struct LineDataReader {
  private let source: Recipe.LineSource
  /// The tokens of the inputs, if they are no numbers.
  let words: Vocabulary?
  /// The labels, or the tokens of the targets with the one that ends them in front.
  let targets: Vocabulary
  /// The numbers of an input, where it is no text.
  private let width: Int

  init(_ source: Recipe.LineSource, train: LineTable) throws(DataError) {
    self.source = source
    switch source.input {
    case .tokens(let unit):
      words = Vocabulary(
        of: train.examples.map { unit.tokens(of: $0.input) }, minimumCount: source.minimumCount,
        special: source.minimumCount > 1 ? [Vocabulary.unknown] : [])
      width = 1
    case .numbers:
      words = nil
      width = train.examples[0].input.split(separator: " ").count
    }
    switch source.target {
    case .label:
      targets =
        source.labels.map { Vocabulary($0) } ?? Vocabulary(of: train.examples.map { [$0.target] })
    case .labels:
      targets =
        source.labels.map { Vocabulary($0) }
        ?? Vocabulary(of: train.examples.map { TokenUnit.words.tokens(of: $0.target) })
    case .tokens(let unit):
      let texts = train.examples.map { unit.tokens(of: $0.target) }
      if let index = texts.firstIndex(where: { $0.contains(Vocabulary.end) }) {
        throw train.error(
          train.examples[index], found: "the word \(Vocabulary.end)",
          expected: "other words: this one ends a text")
      }
      targets = Vocabulary(of: texts, special: [Vocabulary.end])
    }
  }

  /// What a frame of each program holds.
  var inputs: [NetworkSpecification.Input] {
    let input =
      words.map { NetworkSpecification.Input.index(size: $0.tokens.count) }
      ?? .vector(size: width)
    guard case .tokens = source.target else { return [input] }
    return [input, .index(size: targets.tokens.count)]
  }

  /// The sequences of a file.
  func sequences(_ table: LineTable) throws(DataError) -> [TrainingSequence] {
    var sequences: [TrainingSequence] = []
    for example in table.examples { sequences.append(try sequence(example, of: table)) }
    return sequences
  }

  private func sequence(
    _ example: LineTable.Example, of table: LineTable
  ) throws(DataError) -> TrainingSequence {
    let input = try frames(example, of: table)
    switch source.target {
    case .label:
      let label = try number(example.target, example, of: table)
      return TrainingSequence(
        inputs: input.inputs, length: input.length, targets: .classAtLast(label))
    case .labels:
      let labels = TokenUnit.words.tokens(of: example.target)
      guard labels.count == input.length else {
        throw table.error(
          example, found: "\(labels.count) labels",
          expected: "\(input.length), one for each token of the input")
      }
      var numbers: [Int] = []
      for label in labels { numbers.append(try number(label, example, of: table)) }
      return TrainingSequence(
        inputs: input.inputs, length: input.length, targets: .classPerFrame(numbers))
    case .tokens(let unit):
      var numbers: [Int] = []
      for token in unit.tokens(of: example.target) {
        numbers.append(try number(token, example, of: table))
      }
      // The token that ends a text stands before its first one, too.
      return TrainingSequence(
        context: [input], inputs: ([0] + numbers).map { Float($0) }, length: numbers.count + 1,
        targets: .classPerFrame(numbers + [0]))
    }
  }

  /// The frames of an input.
  private func frames(
    _ example: LineTable.Example, of table: LineTable
  ) throws(DataError) -> TrainingSequence.Context {
    guard case .tokens(let unit) = source.input, let words else {
      let numbers = example.input.split(separator: " ")
      guard numbers.count == width else {
        throw table.error(
          example, found: "\(numbers.count) numbers", expected: "\(width), as in the first line")
      }
      var values: [Float] = []
      for (index, text) in numbers.enumerated() {
        guard let value = Float(text), value.isFinite else {
          throw table.error(
            example, found: "'\(text)' as number \(index + 1)", expected: "a finite number")
        }
        values.append(value)
      }
      return TrainingSequence.Context(inputs: values, length: 1)
    }
    var inputs: [Float] = []
    for token in unit.tokens(of: example.input) {
      guard let number = words.number(of: token) else {
        throw table.error(
          example, found: "the \(unit == .words ? "word" : "character") \(token.debugDescription)",
          expected: "one of the \(words.tokens.count) of the training inputs; with "
            + "\"minimumCount\": 2 or more, the model learns what to do with others")
      }
      inputs.append(Float(number))
    }
    guard !inputs.isEmpty else {
      throw table.error(example, found: "an input of spaces", expected: "at least one word")
    }
    return TrainingSequence.Context(inputs: inputs, length: inputs.count)
  }

  /// The number of a label or of a token of a target.
  private func number(
    _ target: String, _ example: LineTable.Example, of table: LineTable
  ) throws(DataError) -> Int {
    guard let number = targets.number(of: target) else {
      let known = targets.tokens.prefix(20).map(\.debugDescription).joined(separator: ", ")
      throw table.error(
        example, found: target.debugDescription,
        expected:
          "one of \(known)\(targets.tokens.count > 20 ? ", …" : "") as in the training lines")
    }
    return number
  }
}

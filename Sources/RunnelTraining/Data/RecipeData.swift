package import Runnel

/// The sequences that a recipe names, ready for training.
package struct RecipeData: Sendable {
  /// What a frame of each program holds.
  package let inputs: [NetworkSpecification.Input]
  /// The size of a prediction.
  package let outputSize: Int
  /// What the outputs mean: the classes or tokens, or the columns that are predicted.
  package let labels: [String]
  /// What the values of the first program's index mean, where that is something else.
  package var inputLabels: [String] = []
  /// What the labels are parts of, where they are tokens of a text.
  package var tokens: TokenUnit?
  /// What the input labels are parts of.
  package var inputTokens: TokenUnit?
  /// The label that ends a sequence of tokens, and that the first one is predicted from.
  package var endLabel: String?
  /// The names of a frame's elements; empty for text.
  package let features: [String]
  package let training: [TrainingSequence]
  package let validation: [TrainingSequence]?
  package let test: [TrainingSequence]?
}

extension RecipeData {
  /// Reads the files of a recipe.
  ///
  /// - Throws: ``DataError`` or ``FileError``, which name the file and the place.
  package init(_ recipe: Recipe) throws {
    switch recipe.data {
    case .frames(let source): try self.init(source, loss: recipe.network.loss, recipe.path)
    case .text(let source): try self.init(source)
    case .lines(let source): try self.init(source, loss: recipe.network.loss, recipe.path)
    }
  }

  // MARK: Frames

  private init(_ source: Recipe.FrameSource, loss: Loss, _ recipe: String) throws {
    guard (source.columns.label != nil) == (loss == .softmaxCrossEntropy) else {
      throw DataError(
        file: recipe, element: "network.loss",
        found: loss == .softmaxCrossEntropy
          ? "\"softmax-cross-entropy\" with \"targets\"" : "a loss on numbers with \"label\"",
        expected: "\"softmax-cross-entropy\" for a \"label\", another loss for \"targets\"")
    }
    let train = try source.train.read { try SequenceTable(path: $0, columns: source.columns) }
    // The other files are read by the names that the first one settled.
    var columns = source.columns
    columns.features = train.features
    func read(_ file: Recipe.File) throws -> SequenceTable {
      try file.read { try SequenceTable(path: $0, columns: columns) }
    }
    let isClasses = source.columns.label != nil
    let classes = isClasses ? source.labels ?? train.classes : []
    func sequences(_ table: SequenceTable, everyFrame: Bool) throws -> [TrainingSequence] {
      let numbers = try table.classNumbers(of: classes, constant: !source.everyFrame)
      return zip(table.sequences, numbers).map { sequence, classes in
        let targets: Targets =
          switch (isClasses, everyFrame) {
          case (true, false): .classAtLast(classes.last!)
          case (true, true): .classPerFrame(classes)
          case (false, false): .valuesAtLast(sequence.targets.suffix(columns.targets.count))
          case (false, true): .valuesPerFrame(sequence.targets)
          }
        return TrainingSequence(
          inputs: sequence.frames, length: sequence.lines.count, targets: targets)
      }
    }
    inputs = [.vector(size: train.features.count)]
    labels = isClasses ? classes : source.labels ?? columns.targets
    outputSize = isClasses ? classes.count : columns.targets.count
    features = train.features
    training = try sequences(train, everyFrame: source.teachesEveryFrame)
    validation = try source.validation.map { file in
      try sequences(read(file), everyFrame: source.teachesEveryFrame)
    }
    test = try source.test.map { try sequences(read($0), everyFrame: source.everyFrame) }
  }

  // MARK: Text

  private init(_ source: Recipe.TextSource) throws {
    func text(_ content: Recipe.TextSource.Content) throws -> (String, file: String) {
      switch content {
      case .inline(let text): return (text, "the recipe's text")
      case .file(let file):
        let bytes = try file.read { try ByteSource.contents(of: $0) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
          throw DataError(
            file: file.path, found: "bytes that are not UTF-8", expected: "text in UTF-8")
        }
        return (text, file.path)
      }
    }
    let train = try text(source.train)
    let characters = source.labels ?? Set(train.0.unicodeScalars).sorted()
    // By scalar: as a String, the Kelvin sign would be the letter K.
    let numbers = Dictionary(uniqueKeysWithValues: zip(characters, characters.indices))

    /// The numbers of a text's characters.
    func indices(_ text: String, file: String) throws -> [Int] {
      var line = 1
      var column = 1
      var indices: [Int] = []
      for scalar in text.unicodeScalars {
        guard let number = numbers[scalar] else {
          throw DataError(
            file: file, line: line, column: column,
            found: "the character \(scalar.debugDescription)",
            expected: "one of the \(characters.count) characters of the training text")
        }
        indices.append(number)
        column += 1
        if scalar == "\n" {
          line += 1
          column = 1
        }
      }
      guard indices.count >= 2 else {
        throw DataError(
          file: file, found: "\(indices.count) characters", expected: "a text of at least two")
      }
      return indices
    }

    /// Sequences in which each character's target is the next one.
    func sequences(_ indices: [Int], length: Int?) -> [TrainingSequence] {
      let length = length ?? indices.count
      return stride(from: 0, to: indices.count - 1, by: length).map { start in
        let end = min(start + length, indices.count - 1)
        return TrainingSequence(
          inputs: indices[start..<end].flatMap { index in
            source.oneHot ? characters.indices.map { $0 == index ? 1 : 0 } : [Float(index)]
          },
          length: end - start, targets: .classPerFrame(Array(indices[start + 1...end])))
      }
    }

    inputs = [
      source.oneHot ? .vector(size: characters.count) : .index(size: characters.count)
    ]
    labels = characters.map { String($0) }
    tokens = .characters
    outputSize = characters.count
    features = []
    training = sequences(try indices(train.0, file: train.file), length: source.sequenceLength)
    validation = nil
    test = try source.test.map { test in
      let (text, file) = try text(test)
      return sequences(try indices(text, file: file), length: nil)
    }
  }
}

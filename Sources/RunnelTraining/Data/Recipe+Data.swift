package import Runnel

extension Recipe {
  /// Frames in CSV files, as ``SequenceTable`` reads them.
  package struct FrameSource: Sendable {
    package let train: File
    package let validation: File?
    package let test: File?
    package let columns: SequenceTable.Columns
    /// The classes in the order of the outputs; those that occur in `train` where it is `nil`.
    package let labels: [String]?
    /// Whether every frame has a target of its own; otherwise the last frame has the only one.
    package let everyFrame: Bool
    /// Whether training asks every frame for the target of the last one.
    package let teachesEveryFrame: Bool

    init(_ object: inout JSONObject) throws(DataError) {
      train = try object.required("train").namedFile()
      validation = try object.optional("validation")?.namedFile()
      test = try object.optional("test")?.namedFile()
      let sequence = try object.optional("sequence")?.string("the name of a column")
      let label = try object.optional("label")?.string("the name of a column")
      let targets = object.optional("targets")
      if let targets, label != nil {
        throw targets.error(
          found: "\"targets\" beside \"label\"",
          expected: "\"label\" to predict classes, or \"targets\" to predict numbers")
      }
      columns = SequenceTable.Columns(
        sequence: sequence, label: label, targets: try targets?.strings() ?? [],
        features: try object.optional("features")?.strings())
      if label == nil && targets == nil { throw object.missing("label") }
      let labelsField = object.optional("labels")
      labels = try labelsField?.strings()
      if let labelsField, let targets, labels?.count != columns.targets.count {
        throw labelsField.error(
          found: "\(labels?.count ?? 0) labels",
          expected: "\(columns.targets.count), one for each of \(targets.path)")
      }
      everyFrame = try object.required("predict").choice(["last": false, "every": true])
      let lossAt = object.optional("lossAt")
      teachesEveryFrame = try lossAt?.choice(["last": false, "every": true]) ?? everyFrame
      if let lossAt, everyFrame || label == nil {
        throw lossAt.error(
          found: "\"lossAt\" here",
          expected: "it only where a \"label\" is predicted at the \"last\" frame")
      }
      try object.finish()
    }
  }

  /// A text whose next character is to be predicted, character by character.
  package struct TextSource: Sendable {
    package enum Content: Sendable {
      case inline(String)
      case file(File)
    }
    package let train: Content
    package let test: Content?
    /// The characters in the order of the outputs; those that occur in `train` where it is `nil`.
    package let labels: [Unicode.Scalar]?
    /// Whether a character comes in as a vector with one 1, otherwise as its number.
    package let oneHot: Bool
    /// The characters of a training sequence; the whole text is one where it is `nil`.
    package let sequenceLength: Int?

    init(_ object: inout JSONObject) throws(DataError) {
      let text = object.optional("text")
      let file = object.optional("train")
      switch (text, file) {
      case (let text?, nil): train = .inline(try text.string())
      case (nil, let file?): train = .file(try file.namedFile())
      case (let text?, .some):
        throw text.error(
          found: "\"text\" beside \"train\"",
          expected: "\"text\" with the text itself, or \"train\" with the name of a file")
      case (nil, nil):
        throw object.missing("text")
      }
      test = (try object.optional("test")?.namedFile()).map { .file($0) }
      labels = try object.optional("labels")?.characters()
      oneHot = try object.required("input").choice(["one-hot": true, "index": false])
      sequenceLength = try object.optional("sequenceLength")?.wholeNumber(1...1 << 20)
      try object.finish()
    }
  }

  /// Lines of an input, a tab and a target.
  package struct LineSource: Sendable {
    /// What an input is made of.
    package enum Input: Sendable {
      case tokens(TokenUnit)
      case numbers
    }
    /// What a target is.
    package enum Target: Sendable {
      /// One label for the whole input.
      case label
      /// A label for each token of the input.
      case labels
      /// A text, which the model writes token by token.
      case tokens(TokenUnit)
    }
    package let train: File
    package let validation: File?
    package let test: File?
    package let input: Input
    package let target: Target
    /// The labels in the order of the outputs; those that occur in `train` where it is `nil`.
    package let labels: [String]?
    /// A token of the inputs that is rarer in `train` is unknown.
    package let minimumCount: Int

    init(_ object: inout JSONObject) throws(DataError) {
      train = try object.required("train").namedFile()
      validation = try object.optional("validation")?.namedFile()
      test = try object.optional("test")?.namedFile()
      input = try object.required("input").choice([
        "characters": .tokens(.characters), "words": .tokens(.words), "numbers": .numbers,
      ])
      let predict = try object.required("predict")
      target = try predict.choice([
        "label": .label, "labels": .labels, "characters": .tokens(.characters),
        "words": .tokens(.words),
      ])
      if case (.numbers, .labels) = (input, target) {
        throw predict.error(
          found: "\"labels\" with an input of numbers",
          expected: "\"label\", as the numbers of a line are one frame")
      }
      let labelsField = object.optional("labels")
      labels = try labelsField?.strings()
      if let labelsField, case .tokens = target {
        throw labelsField.error(
          found: "\"labels\" with a text to predict",
          expected: "none: the tokens of the training texts are the labels")
      }
      let count = object.optional("minimumCount")
      if let count, case .numbers = input {
        throw count.error(
          found: "\"minimumCount\" with an input of numbers", expected: "it with tokens only")
      }
      minimumCount = try count?.wholeNumber(1...1_000_000) ?? 1
      try object.finish()
    }
  }
}

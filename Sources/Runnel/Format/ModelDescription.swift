/// What a `.runnel` file says, before it is packed for a CPU: programs over shared states,
/// tensors, metadata and golden frames.
///
/// Exporters build one of these and write it with ``ModelDescription/encoded()``; the runtime reads
/// one and packs it into a ``Model``. Building one checks nothing; reading it, writing it and
/// packing it check everything.
public struct ModelDescription: Equatable, Sendable {
  /// The recurrent state that all programs share.
  public var states: [StateDescription]
  /// The programs; most models have one, named `step`.
  public var programs: [ProgramDescription]
  /// The weights that operations refer to by index.
  public var tensors: [TensorDescription]
  /// What people and tools want to know about the model.
  public var metadata: ModelMetadata
  /// Frames with their expected predictions, by which a model proves itself.
  public var golden: GoldenFrames

  /// Makes a description from its parts.
  public init(
    states: [StateDescription] = [], programs: [ProgramDescription] = [],
    tensors: [TensorDescription] = [], metadata: ModelMetadata = ModelMetadata(),
    golden: GoldenFrames = GoldenFrames()
  ) {
    self.states = states
    self.programs = programs
    self.tensors = tensors
    self.metadata = metadata
    self.golden = golden
  }
}

/// One state vector (a hidden state or a cell state) that lives from step to step.
public struct StateDescription: Equatable, Sendable {
  /// The name, for people and error messages, such as `gru0.hidden`.
  public var name: String
  /// The number of elements.
  public var size: Int
  /// The tensor, shape `[size]`, that a reset starts from; zeros where it is `nil`.
  public var initial: Int?

  /// Makes a state.
  public init(name: String, size: Int, initial: Int? = nil) {
    self.name = name
    self.size = size
    self.initial = initial
  }
}

/// One program: what a step computes, as a flat list of operations.
///
/// Slot numbers `0 ..< inputs.count` are the inputs, in the order in which they stand in a frame.
/// Operation `k` writes slot `inputs.count + k`. An operation reads only slots that exist before
/// it, so a list is always in an order in which it can run.
public struct ProgramDescription: Equatable, Sendable {
  /// The name, unique in the model, such as `step`.
  public var name: String
  /// The parts of a frame, side by side.
  public var inputs: [InputPort]
  /// What runs, in order.
  public var operations: [ModelOperation]
  /// The parts of a prediction, side by side.
  public var outputs: [OutputPort]

  /// Makes a program.
  public init(
    name: String = "step", inputs: [InputPort], operations: [ModelOperation], outputs: [OutputPort]
  ) {
    self.name = name
    self.inputs = inputs
    self.operations = operations
    self.outputs = outputs
  }

  /// Whether the program runs over whole sequences only.
  var needsWholeSequence: Bool { operations.contains { $0.code == .reverse } }
  /// Whether a step gives a prediction for some frames only.
  var endsSteps: Bool { operations.contains { $0.code == .every } }
}

/// One part of a frame.
public struct InputPort: Equatable, Sendable {
  /// What the numbers are.
  public enum Kind: UInt32, Equatable, Sendable {
    /// `size` real numbers.
    case vector = 0
    /// One number in the frame: an index from `0 ..< size`, stored as a `Float`.
    case index = 1
  }
  /// The name, such as `frame`.
  public var name: String
  /// What the numbers are.
  public var kind: Kind
  /// The number of elements of a vector, or the number of values that an index can take.
  public var size: Int
  /// How many numbers of the frame the port takes.
  public var width: Int { kind == .index ? 1 : size }

  /// Makes an input.
  public init(name: String, kind: Kind = .vector, size: Int) {
    self.name = name
    self.kind = kind
    self.size = size
  }
}

/// One part of a prediction.
public struct OutputPort: Equatable, Sendable {
  /// The name, such as `speaker`.
  public var name: String
  /// The slot whose value is given out.
  public var slot: Int

  /// Makes an output.
  public init(name: String, slot: Int) {
    self.name = name
    self.slot = slot
  }
}

/// What a model says about itself: lists of strings under unique keys.
public struct ModelMetadata: Equatable, Sendable {
  /// All entries.
  public var entries: [String: [String]]

  /// Makes metadata from entries.
  public init(_ entries: [String: [String]] = [:]) { self.entries = entries }

  /// The model's name.
  public var name: String? {
    get { entries["name"]?.first }
    set { entries["name"] = newValue.map { [$0] } }
  }
  /// What the elements of the (first) output mean, such as the names of classes or characters.
  public var labels: [String] {
    get { entries["labels"] ?? [] }
    set { entries["labels"] = newValue.isEmpty ? nil : newValue }
  }
  /// What each value of the first program's index input means, where that is not ``labels``.
  public var inputLabels: [String] {
    get { entries["inputLabels"] ?? [] }
    set { entries["inputLabels"] = newValue.isEmpty ? nil : newValue }
  }
  /// The label that ends a sequence of tokens, and that the first step of a decoding program is given.
  public var endLabel: String? {
    get { entries["end"]?.first }
    set { entries["end"] = newValue.map { [$0] } }
  }
  /// What parts of a text ``labels`` are, if they are such.
  public var tokens: TokenUnit? {
    get { entries["tokens"]?.first.flatMap(TokenUnit.init) }
    set { entries["tokens"] = newValue.map { [$0.rawValue] } }
  }
  /// What parts of a text ``inputLabels`` are, if they are such.
  public var inputTokens: TokenUnit? {
    get { entries["inputTokens"]?.first.flatMap(TokenUnit.init) }
    set { entries["inputTokens"] = newValue.map { [$0.rawValue] } }
  }
  /// Frames per second, where the model has a natural rate.
  public var frameRate: Double? {
    get { entries["frameRate"]?.first.flatMap(Double.init) }
    set { entries["frameRate"] = newValue.map { ["\($0)"] } }
  }
  /// How the numbers of a frame are scaled, in words; the scaling itself is a program operation.
  public var inputNormalisation: String? {
    get { entries["inputNormalisation"]?.first }
    set { entries["inputNormalisation"] = newValue.map { [$0] } }
  }
  /// Where the model comes from: data, tool, recipe, seed.
  public var provenance: [String] {
    get { entries["provenance"] ?? [] }
    set { entries["provenance"] = newValue.isEmpty ? nil : newValue }
  }
}

/// How a text is divided into tokens.
public enum TokenUnit: String, CaseIterable, Sendable {
  /// Each label is a character, and they follow one another directly.
  case characters
  /// Each label is a word or a mark, and spaces stand between them.
  case words
}

/// Frames with their expected predictions.
public struct GoldenFrames: Equatable, Sendable {
  /// A run of one program over consecutive frames.
  public struct Run: Equatable, Sendable {
    /// The index of the program.
    public var program: Int
    /// Whether the state is reset before the first frame.
    public var startsFromReset: Bool
    /// The frames, shape `[frameCount, frameSize]`.
    public var frames: [Float]
    /// The predictions, shape `[frameCount, predictionSize]`.
    public var predictions: [Float]

    /// Makes a run.
    public init(
      program: Int = 0, startsFromReset: Bool = true, frames: [Float], predictions: [Float]
    ) {
      self.program = program
      self.startsFromReset = startsFromReset
      self.frames = frames
      self.predictions = predictions
    }
  }
  /// The largest absolute deviation that passes.
  public var tolerance: Float
  /// The runs, in order, on one session.
  public var runs: [Run]

  /// Makes golden frames.
  public init(tolerance: Float = 1e-5, runs: [Run] = []) {
    self.tolerance = tolerance
    self.runs = runs
  }
}

import Runnel
import TestSupport
import Testing

/// One change to the model of every operation, and the error that it must give.
struct InvalidModel: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let expected: ModelError
  let change: @Sendable (inout ModelDescription) -> Void

  init(
    _ description: String, _ expected: ModelError,
    _ change: @escaping @Sendable (inout ModelDescription) -> Void
  ) {
    self.testDescription = description
    self.expected = expected
    self.change = change
  }
}

/// What the parts of a description say about each other.
@Suite struct ValidationTests {
  static let valid: ModelDescription = {
    var model = RandomModels.everyOperation(seed: 1).withGoldenFrames(2, seed: 2)
    model.metadata.name = "valid"
    // Programs that do not step, or not to their end, each with a state of its own.
    model.append(RandomModels.everyThirdFrame(seed: 1), name: "third")
    model.append(RandomModels.bothDirections(isMade: true, seed: 1), name: "both")
    return model
  }()

  /// A change to the first operation of a code, and the fault that it gives there.
  static func invalid(
    _ description: String, _ code: ModelOperation.Code, _ fault: ProgramFault,
    _ change: @escaping @Sendable (inout ModelOperation) -> Void
  ) -> InvalidModel {
    let program = valid.programs.firstIndex { $0.operations.contains { $0.code == code } }!
    let place = valid.programs[program].operations.firstIndex { $0.code == code }!
    return InvalidModel(description, .program(fault, program: program, operation: place)) {
      change(&$0.programs[program].operations[place])
    }
  }

  /// Other numbers for the first gather.
  static func numbers(
    _ description: String, _ fault: ProgramFault,
    _ change: @escaping @Sendable ([Float]) -> TensorDescription.Storage
  ) -> InvalidModel {
    let place = valid.programs[0].operations.firstIndex { $0.code == .gather }!
    let tensor = valid.programs[0].operations[place].tensors[0]
    return InvalidModel(description, .program(fault, program: 0, operation: place)) {
      $0.tensors[tensor].storage = change($0.tensors[tensor].values)
    }
  }

  static func tensor(_ shape: [Int]) -> TensorDescription {
    TensorDescription(
      name: "", shape: shape, values: [Float](repeating: 0, count: shape.reduce(1, *)))
  }

  static let longName = String(repeating: "x", count: 65_536)

  static let tensors: [InvalidModel] = [
    InvalidModel("more tensors than the limit", .tensor(.tooMany, tensor: 4_096)) {
      $0.tensors += repeatElement(tensor([1]), count: 4_097 - $0.tensors.count)
    },
    InvalidModel("a tensor with a long name", .tensor(.nameTooLong, tensor: 1)) {
      $0.tensors[1].name = longName
    },
    InvalidModel("a tensor without a dimension", .tensor(.rank, tensor: 1)) {
      $0.tensors[1] = TensorDescription(name: "", shape: [], values: [0])
    },
    InvalidModel("a tensor of three dimensions", .tensor(.rank, tensor: 1)) {
      $0.tensors[1] = tensor([1, 1, 1])
    },
    InvalidModel("a tensor of no elements", .tensor(.dimension, tensor: 1)) {
      $0.tensors[1] = tensor([0])
    },
    InvalidModel("a tensor of negative size", .tensor(.dimension, tensor: 1)) {
      $0.tensors[1].shape = [-5]
    },
    InvalidModel("a tensor of two negative sizes", .tensor(.dimension, tensor: 1)) {
      $0.tensors[1].shape = [-5, -1]
    },
    InvalidModel("a dimension beyond the limit", .tensor(.dimension, tensor: 1)) {
      $0.tensors[1] = tensor([65_537])
    },
    InvalidModel("a tensor beyond the limit", .tensor(.tooLarge, tensor: 1)) {
      $0.tensors[1].shape = [65_536, 4_097]
    },
    InvalidModel("a number too few", .tensor(.elementCount, tensor: 1)) {
      $0.tensors[1].storage = .float32([0, 0, 0, 0])
    },
    InvalidModel("a number too many", .tensor(.elementCount, tensor: 1)) {
      $0.tensors[1].storage = .float16([0, 0, 0, 0, 0, 0])
    },
    InvalidModel("a scale too few", .tensor(.scaleCount, tensor: 1)) {
      $0.tensors[1].storage = .int8([0, 0, 0, 0, 0], scales: [1, 1, 1, 1])
    },
    InvalidModel("an infinite half", .tensor(.nonFinite, tensor: 1)) {
      $0.tensors[1].storage = .float16([0, 0, 0x7BFF, 0xFC00, 0])
    },
    InvalidModel("a half that is not a number", .tensor(.nonFinite, tensor: 1)) {
      $0.tensors[1].storage = .float16([0, 0, 0, 0, 0x7C01])
    },
    InvalidModel("an infinite bfloat16", .tensor(.nonFinite, tensor: 1)) {
      $0.tensors[1].storage = .bfloat16([0xFF80, 0x7F7F, 0, 0, 0])
    },
    InvalidModel("a bfloat16 that is not a number", .tensor(.nonFinite, tensor: 1)) {
      $0.tensors[1].storage = .bfloat16([0, 0, 0, 0, 0x7FC0])
    },
  ]

  static let states: [InvalidModel] = [
    InvalidModel("more states than the limit", .state(.tooMany, state: 1_024)) {
      $0.states += repeatElement(
        StateDescription(name: "", size: 1), count: 1_025 - $0.states.count)
    },
    InvalidModel("a state with a long name", .state(.nameTooLong, state: 2)) {
      $0.states[2].name = longName
    },
    InvalidModel("a state of no elements", .state(.size, state: 2)) { $0.states[2].size = 0 },
    InvalidModel("a state beyond the limit", .state(.size, state: 2)) {
      $0.states[2].size = 65_537
    },
    InvalidModel("states that are too large together", .state(.statesTooLarge, state: 79)) {
      $0.states += repeatElement(StateDescription(name: "", size: 65_536), count: 64)
    },
    InvalidModel("an initial tensor that is not there", .state(.noSuchTensor, state: 2)) {
      $0.states[2].initial = $0.tensors.count
    },
    InvalidModel("a negative initial tensor", .state(.noSuchTensor, state: 2)) {
      $0.states[2].initial = -1
    },
    InvalidModel("an initial tensor of another size", .state(.initialShape, state: 2)) {
      $0.states[2].initial = $0.states[0].initial
    },
    InvalidModel("an initial tensor of halves", .state(.initialStorage, state: 0)) {
      $0.tensors[$0.states[0].initial!].storage = .float16([0, 0, 0])
    },
  ]

  static let programs: [InvalidModel] = [
    InvalidModel("no program", .program(.noPrograms, program: 0, operation: 0)) {
      $0.programs = []
    },
    InvalidModel(
      "more programs than the limit", .program(.tooManyPrograms, program: 16, operation: 0)
    ) { model in
      model.programs += (2..<17).map { number in
        var program = model.programs[0]
        program.name = "\(number)"
        return program
      }
    },
    InvalidModel(
      "two programs of one name", .program(.duplicateName, program: 1, operation: 0)
    ) { $0.programs[1].name = "step" },
    InvalidModel("a long name", .program(.nameTooLong, program: 1, operation: 0)) {
      $0.programs[1].name = longName
    },
    InvalidModel("no input", .program(.noInputs, program: 1, operation: 0)) {
      $0.programs[1].inputs = []
    },
    InvalidModel(
      "more inputs than the limit", .program(.tooManyInputs, program: 1, operation: 0)
    ) { $0.programs[1].inputs = .init(repeating: InputPort(name: "", size: 1), count: 65) },
    InvalidModel("an input with a long name", .program(.nameTooLong, program: 0, operation: 1)) {
      $0.programs[0].inputs[1].name = longName
    },
    InvalidModel("an input of no elements", .program(.inputSize, program: 0, operation: 0)) {
      $0.programs[0].inputs[0].size = 0
    },
    InvalidModel("a negative input", .program(.inputSize, program: 0, operation: 1)) {
      $0.programs[0].inputs[1].size = -1
    },
    InvalidModel("an input beyond the limit", .program(.inputSize, program: 0, operation: 1)) {
      $0.programs[0].inputs[1].size = 65_537
    },
    InvalidModel("a frame beyond the limit", .program(.frameTooLarge, program: 0, operation: 1)) {
      $0.programs[0].inputs[0].size = 65_536
    },
    InvalidModel(
      "more operations than the limit", .program(.tooManyOperations, program: 1, operation: 0)
    ) { $0.programs[1].operations += repeatElement(.relu(0), count: 4_096) },
    InvalidModel(
      "slots that are too large together", .program(.slotsTooLarge, program: 1, operation: 63)
    ) {
      $0.programs[1] = ProgramDescription(
        name: "large", inputs: [InputPort(name: "", size: 65_536)],
        operations: .init(repeating: .relu(0), count: 64), outputs: [OutputPort(name: "", slot: 0)])
    },
    InvalidModel("no output", .program(.noOutputs, program: 1, operation: 0)) {
      $0.programs[1].outputs = []
    },
    InvalidModel(
      "more outputs than the limit", .program(.tooManyOutputs, program: 1, operation: 0)
    ) { $0.programs[1].outputs = .init(repeating: OutputPort(name: "", slot: 0), count: 65) },
    InvalidModel("an output with a long name", .program(.nameTooLong, program: 0, operation: 2)) {
      $0.programs[0].outputs[2].name = longName
    },
    InvalidModel("an output of no slot", .program(.outputSlot, program: 1, operation: 0)) {
      $0.programs[1].outputs[0].slot = 2
    },
    InvalidModel("a negative output", .program(.outputSlot, program: 1, operation: 0)) {
      $0.programs[1].outputs[0].slot = -1
    },
    InvalidModel("an index as output", .program(.outputIsIndex, program: 0, operation: 1)) {
      $0.programs[0].outputs[1].slot = 1
    },
    InvalidModel(
      "a prediction beyond the limit", .program(.predictionTooLarge, program: 1, operation: 1)
    ) {
      $0.programs[1] = ProgramDescription(
        name: "large", inputs: [InputPort(name: "", size: 40_000)], operations: [],
        outputs: [OutputPort(name: "", slot: 0), OutputPort(name: "", slot: 0)])
    },
  ]

  static let operations: [InvalidModel] = [
    invalid("an operand that comes later", .tanh, .noSuchSlot) { $0.operands = [39] },
    invalid("an operand that is the result", .affine, .noSuchSlot) { $0.operands = [3] },
    invalid("a negative operand", .tanh, .noSuchSlot) { $0.operands = [-1] },
    invalid("a tensor that is not there", .dense, .noSuchTensor) { $0.tensors[1] = 99 },
    invalid("a negative tensor", .dense, .noSuchTensor) { $0.tensors[0] = -1 },
    invalid("a state that is not there", .lstm, .noSuchState) { $0.states[1] = 99 },
    invalid("a negative state", .lstm, .noSuchState) { $0.states[0] = -1 },
    invalid("one state twice", .lstm, .stateWrittenTwice) { $0.states = [2, 2] },
    invalid("a state of an earlier operation", .rnnReLU, .stateWrittenTwice) { $0.states = [0] },
    invalid("an LSTM whose states differ in size", .lstm, .stateSize) { $0.states[1] = 4 },
    invalid("an LSTM without cell state", .lstm, .stateCount) { $0.states = [2] },
    invalid("an LSTM with two operands", .lstm, .operandCount) { $0.operands = [4, 4] },
    invalid("an LSTM with two biases", .lstm, .tensorCount) { $0.tensors.append(11) },
    invalid("an LSTM of another size", .lstm, .tensorShape) { $0.states = [4, 5] },
    invalid("an LSTM on another input", .lstm, .tensorShape) { $0.operands = [0] },
    invalid("an LSTM on an index", .lstm, .operandIsIndex) { $0.operands = [1] },
    invalid("an LSTM with swapped weights", .lstm, .tensorShape) { $0.tensors.swapAt(0, 1) },
    invalid("an LSTM with another bias", .lstm, .tensorShape) { $0.tensors[2] = 14 },
    invalid("an RNN without bias", .rnnTanh, .tensorCount) { $0.tensors.removeLast() },
    invalid("an RNN with two states", .rnnTanh, .stateCount) { $0.states = [0, 1] },
    invalid("an RNN with an LSTM's weights", .rnnReLU, .tensorShape) { $0.tensors[0] = 9 },
    invalid("a GRU without candidate bias", .gruResetAfter, .tensorCount) {
      $0.tensors.removeLast()
    },
    invalid("a GRU with a whole candidate bias", .gruResetAfter, .tensorShape) {
      $0.tensors[3] = $0.tensors[2]
    },
    invalid("a GRU with a bias of one gate", .gruResetAfter, .tensorShape) {
      $0.tensors[2] = $0.tensors[3]
    },
    invalid("a GRU with a candidate bias", .gruResetBefore, .tensorCount) { $0.tensors.append(15) },
    invalid("a GRU with other recurrent weights", .gruResetBefore, .tensorShape) {
      $0.tensors[1] = $0.tensors[0]
    },
    invalid("a dense layer on another input", .dense, .tensorShape) { $0.operands = [8] },
    invalid("a dense layer with vector weights", .dense, .tensorShape) { $0.tensors[0] = 20 },
    invalid("a dense layer with another bias", .dense, .tensorShape) { $0.tensors[1] = 15 },
    invalid("a dense layer without bias", .dense, .tensorCount) { $0.tensors.removeLast() },
    invalid("a dense layer with a state", .dense, .stateWrittenTwice) { $0.states = [0] },
    invalid("an embedding of a vector", .embedding, .operandIsVector) { $0.operands = [0] },
    invalid("an embedding with other rows", .embedding, .tensorShape) { $0.tensors = [3] },
    invalid("an embedding in a vector", .embedding, .tensorShape) { $0.tensors = [1] },
    invalid("an embedding without operand", .embedding, .operandCount) { $0.operands = [] },
    invalid("an affine of an index", .affine, .operandIsIndex) { $0.operands = [1] },
    invalid("an affine of another size", .affine, .tensorShape) { $0.operands = [2] },
    invalid("an affine without shift", .affine, .tensorCount) { $0.tensors.removeLast() },
    invalid("a PReLU of another size", .prelu, .tensorShape) { $0.operands = [7] },
    invalid("a PReLU without slopes", .prelu, .tensorCount) { $0.tensors = [] },
    invalid("a clip without an upper bound", .clip, .tensorCount) { $0.tensors.removeLast() },
    invalid("a clip of another size", .clip, .tensorShape) { $0.operands = [7] },
    invalid("an ELU of an index", .elu, .operandIsIndex) { $0.operands = [1] },
    invalid("a layer norm without epsilon", .layerNorm, .tensorCount) { $0.tensors.removeLast() },
    invalid("a layer norm with many epsilons", .layerNorm, .tensorShape) {
      $0.tensors[2] = $0.tensors[1]
    },
    invalid("a softplus of two operands", .softplus, .operandCount) { $0.operands = [13, 13] },
    invalid("a GELU with a tensor", .gelu, .tensorCount) { $0.tensors = [0] },
    invalid("a square root with a state", .squareRoot, .stateWrittenTwice) { $0.states = [0] },
    invalid("an exponential of nothing", .exponential, .operandCount) { $0.operands = [] },
    invalid("a logarithm to a base", .logarithm, .tensorCount) { $0.tensors = [0] },
    invalid("an error function of an index", .errorFunction, .operandIsIndex) { $0.operands = [1] },
    invalid("a quotient of two sizes", .divide, .operandSize) { $0.operands[1] = 7 },
    invalid("a tanh of an index", .tanh, .operandIsIndex) { $0.operands = [1] },
    invalid("a sigmoid with a tensor", .sigmoid, .tensorCount) { $0.tensors = [0] },
    invalid("a softmax of two operands", .softmax, .operandCount) { $0.operands = [13, 13] },
    invalid("a ReLU of nothing", .relu, .operandCount) { $0.operands = [] },
    invalid("a sum of two sizes", .add, .operandSize) { $0.operands[1] = 7 },
    invalid("a sum of one operand", .add, .operandCount) { $0.operands = [5] },
    invalid("a product of an index", .multiply, .operandIsIndex) { $0.operands[1] = 1 },
    invalid("a product of three operands", .multiply, .operandCount) { $0.operands.append(5) },
    invalid("an accuracy without activations", .dense, .attribute) { $0.accuracy = .fast },
    invalid("an accuracy of a rectifier", .relu, .attribute) { $0.accuracy = .fast },
    invalid("an accuracy of a rectified cell", .rnnReLU, .attribute) { $0.accuracy = .fast },
    invalid("bits without a matrix", .tanh, .attribute) { $0.inputBits = 8 },
    invalid("bits of an embedding", .embedding, .attribute) { $0.inputBits = 8 },
    invalid("4 bits", .lstm, .attribute) { $0.inputBits = 4 },
    invalid("0 bits", .dense, .attribute) { $0.inputBits = 0 },
    invalid("a recall of nothing", .recall, .stateCount) { $0.states = [] },
    invalid("a recall of a slot", .recall, .operandCount) { $0.operands = [0] },
    invalid("a recall of a state that is not there", .recall, .noSuchState) { $0.states = [99] },
    invalid("a stored vector of another size", .store, .stateSize) { $0.operands = [7] },
    invalid("a stored index", .store, .operandIsIndex) { $0.operands = [1] },
    invalid("a state of a cell, stored", .store, .stateWrittenTwice) { $0.states = [0] },
    invalid("a vector stored nowhere", .store, .stateCount) { $0.states = [] },
    invalid("a gather of an index", .gather, .operandIsIndex) { $0.operands = [1] },
    invalid("a gather of more than there is", .gather, .tensorValue) { $0.operands = [7] },
    invalid("a gather of rows", .gather, .tensorShape) { $0.tensors = [0] },
    invalid("a gather with two lists", .gather, .tensorCount) { $0.tensors.append($0.tensors[0]) },
    numbers("a gather of half an element", .tensorValue) { .float32($0.map { $0 + 0.5 }) },
    numbers("a gather before the first element", .tensorValue) { .float32($0.map { $0 - 1 }) },
    numbers("a gather of halves", .tensorStorage) { .float16($0.map { _ in 0 }) },
    invalid("a convolution that is too wide", .convolution, .operandSize) { $0.operands = [6] },
    invalid("a convolution without bias", .convolution, .tensorCount) { $0.tensors.removeLast() },
    invalid("a convolution with swapped tensors", .convolution, .tensorShape) {
      $0.tensors.reverse()
    },
    invalid("a convolution without stride", .convolution, .attribute) { $0.stride = 0 },
    invalid("a convolution with rows", .convolution, .attribute) { $0.count = 2 },
    invalid("a depthwise convolution with a bias of another size", .depthwise, .tensorShape) {
      $0.tensors[1] = 3
    },
    invalid("a depthwise convolution that is too long", .depthwise, .operandSize) {
      $0.operands = [6]
    },
    invalid("a depthwise convolution with a large stride", .depthwise, .attribute) {
      $0.stride = 65_536
    },
    invalid("a maximum of more than there is", .maximum, .operandSize) { $0.count = 3 },
    invalid("a maximum of nothing", .maximum, .attribute) { $0.count = 0 },
    invalid("a maximum of empty rows", .maximum, .attribute) { $0.width = 0 },
    invalid("a maximum of an index", .maximum, .operandIsIndex) { $0.operands = [1] },
    invalid("a window of parts of frames", .window, .stateSize) { $0.operands = [0] },
    invalid("a window without dilation", .window, .attribute) { $0.dilation = 0 },
    invalid("a window with another dilation", .window, .stateSize) { $0.dilation = 3 },
    invalid("a window without a state", .window, .stateCount) { $0.states = [] },
    invalid("an every with a vector as state", .every, .stateSize) { $0.states = [2] },
    invalid("an every of no steps", .every, .attribute) { $0.stride = 0 },
    invalid("an every with two operands", .every, .operandCount) { $0.operands = [0, 0] },
    invalid("a reversed state", .reverse, .stateCount) { $0.states = [8] },
    invalid("a reverse with a stride", .reverse, .attribute) { $0.stride = 2 },
    InvalidModel(
      "windows that take too many products", .program(.windowsTooLarge, program: 1, operation: 0)
    ) {
      $0.programs[1] = ProgramDescription(
        name: "large", inputs: [InputPort(name: "", size: 65_536)],
        operations: [.maximum(0, width: 1, count: 32_768)], outputs: [OutputPort(name: "", slot: 1)]
      )
    },
    InvalidModel(
      "a step of a whole sequence that ends", .program(.wholeSequence, program: 3, operation: 0)
    ) {
      let countdown = $0.programs[2].operations.first { $0.code == .every }!.states
      $0.programs[3].operations[0] = ModelOperation(.every, operands: [0], states: countdown)
    },
    InvalidModel(
      "a state recalled before a reverse and changed behind it",
      .program(.wholeSequence, program: 3, operation: 8)
    ) {
      let made = $0.programs[3].operations.first { $0.code == .store }!
      $0.programs[3].operations.insert(.recall(made.states[0]), at: 0)
      for place in 1..<$0.programs[3].operations.count {
        for operand in $0.programs[3].operations[place].operands.indices
        where $0.programs[3].operations[place].operands[operand] > 0 {
          $0.programs[3].operations[place].operands[operand] += 1
        }
      }
    },
    invalid("nothing concatenated", .concatenate, .operandCount) { $0.operands = [] },
    invalid("an index concatenated", .concatenate, .operandIsIndex) { $0.operands[2] = 1 },
    invalid("too much concatenated", .concatenate, .operandCount) {
      $0.operands = .init(repeating: 0, count: 65)
    },
    InvalidModel(
      "a concatenation beyond the limit", .program(.resultTooLarge, program: 1, operation: 0)
    ) {
      $0.programs[1] = ProgramDescription(
        name: "large", inputs: [InputPort(name: "", size: 65_536)],
        operations: [.concatenate([0, 0])], outputs: [OutputPort(name: "", slot: 0)])
    },
  ]

  static let metadata: [InvalidModel] = [
    InvalidModel("more entries than the limit", .metadata(.tooManyEntries, entry: 1_024)) {
      for number in 0..<1_024 { $0.metadata.entries["\(number)"] = [] }
    },
    InvalidModel("an empty key", .metadata(.key, entry: 0)) { $0.metadata.entries[""] = ["x"] },
    InvalidModel("a key that is not ASCII", .metadata(.key, entry: 1)) {
      $0.metadata.entries["ä"] = ["x"]
    },
    InvalidModel("a key with a space", .metadata(.key, entry: 0)) {
      $0.metadata.entries["frame rate"] = ["x"]
    },
    InvalidModel("more values than the limit", .metadata(.tooManyValues, entry: 0)) {
      $0.metadata.labels = .init(repeating: "", count: 65_537)
    },
    InvalidModel("a long value", .metadata(.valueTooLong, entry: 0)) {
      $0.metadata.labels = ["short", longName]
    },
  ]

  static let golden: [InvalidModel] = [
    InvalidModel("no tolerance", .golden(.tolerance, run: 0)) { $0.golden.tolerance = 0 },
    InvalidModel("a negative tolerance", .golden(.tolerance, run: 0)) {
      $0.golden = GoldenFrames(tolerance: -1)
    },
    InvalidModel("more runs than the limit", .golden(.tooManyRuns, run: 1_024)) {
      $0.golden.runs = .init(repeating: $0.golden.runs[0], count: 1_025)
    },
    InvalidModel("a program that is not there", .golden(.noSuchProgram, run: 1)) {
      $0.golden.runs[1].program = 4
    },
    InvalidModel("another program", .golden(.frames, run: 1)) { $0.golden.runs[1].program = 0 },
    InvalidModel("no frames", .golden(.frames, run: 0)) { $0.golden.runs[0].frames = [] },
    InvalidModel("a part of a frame", .golden(.frames, run: 0)) {
      $0.golden.runs[0].frames.removeLast()
    },
    InvalidModel("a part of a prediction", .golden(.predictions, run: 0)) {
      $0.golden.runs[0].predictions.removeLast()
    },
    InvalidModel("a frame that is not a number", .golden(.nonFinite, run: 1)) {
      $0.golden.runs[1].frames[3] = .nan
    },
    InvalidModel("an infinite prediction", .golden(.nonFinite, run: 1)) {
      $0.golden.runs[1].predictions[0] = -.infinity
    },
    InvalidModel("an index beyond its port", .golden(.index, run: 0)) {
      $0.golden.runs[0].frames[11] = 7
    },
    InvalidModel("half an index", .golden(.index, run: 0)) { $0.golden.runs[0].frames[5] = 0.5 },
  ]

  @Test(arguments: tensors + states + programs + operations + metadata + golden)
  func `a description that does not fit together is refused`(_ invalid: InvalidModel) {
    var model = Self.valid
    #expect(throws: Never.self) { try model.validate() }
    invalid.change(&model)
    #expect(throws: invalid.expected) { try model.validate() }
    #expect(throws: invalid.expected) { try model.encoded() }
  }

  @Test func `every operation has a test of its rule`() {
    let tested = Set(
      ModelOperation.Code.allCases.filter { code in
        Self.operations.contains {
          guard case .program(_, let program, let place) = $0.expected else { return false }
          let operations = Self.valid.programs[min(program, 3)].operations
          return operations.indices.contains(place) && operations[place].code == code
        }
      })
    #expect(tested == Set(ModelOperation.Code.allCases))
  }

  @Test func `names that differ in bytes are two names`() throws {
    var model = Self.valid
    model.programs[0].name = "\u{E9}"
    model.programs[1].name = "e\u{301}"
    #expect(throws: Never.self) { try model.validate() }
  }

  @Test func `the sizes of a program follow from its operations`() throws {
    let shapes = try Self.valid.validate()
    let small = [Int](repeating: 3, count: 14)
    #expect(
      shapes[0].slotSizes
        == [5, 1, 4, 5, 14, 3, 3, 6, 3, 3, 4, 4, 4] + small + [
          9, 12, 12, 8, 4, 4, 4, 4, 3, 3, 3, 4, 3,
        ])
    #expect(shapes[0].frameSize == 6)
    #expect(shapes[0].predictionSize == 31)
    #expect(shapes[1].slotSizes == [14, 6])
    #expect(shapes[1].frameSize == 14)
    #expect(shapes[1].predictionSize == 6)
  }
}

import Runnel

extension ModelError {
  /// The error as a sentence about a file.
  var text: String {
    switch self {
    case .file: "the file cannot be read or written"
    case .format(let fault, let offset): "byte \(offset): \(fault.text)"
    case .program(let fault, let program, let operation):
      "program \(program), \(fault.place) \(operation): \(fault.text)"
    case .state(let fault, let state): "state \(state): \(fault.text)"
    case .tensor(let fault, let tensor): "tensor \(tensor): \(fault.text)"
    case .metadata(let fault, let entry): "metadata entry \(entry): \(fault.text)"
    case .golden(let fault, let run): "golden run \(run): \(fault.text)"
    case .deviation(let deviation, let tolerance):
      "the golden frames deviate by \(deviation), more than the tolerance \(tolerance)"
    case .unsupportedLevel: "this CPU lacks the instructions that were asked for"
    }
  }
}

extension FormatFault {
  fileprivate var text: String {
    switch self {
    case .signature: "this is not a .runnel file: its first bytes are not the signature"
    case .version: "the file has a version that this tool does not know; use a newer tool"
    case .unknownFeature: "the file needs a feature that this tool does not have; use a newer tool"
    case .sectionCount: "the number of sections is wrong"
    case .fileTooLarge: "the file is larger than the format allows"
    case .truncated: "the file ends too early; copy or export it again"
    case .trailingBytes: "the file goes on behind its end; copy or export it again"
    case .headerChecksum: "the header was changed or damaged (its checksum is wrong)"
    case .reserved: "a reserved byte is not zero"
    case .sectionKind: "another section belongs here"
    case .sectionLength: "the lengths of the sections do not add up to the file's"
    case .padding: "a byte between two parts is not zero"
    case .sectionChecksum: "the section was changed or damaged (its checksum is wrong)"
    case .sectionTooShort: "the section ends within a value"
    case .sectionTooLong: "the section goes on behind its last value"
    case .countTooLarge: "a list or text is longer than the format allows"
    case .invalidUTF8: "a text is not UTF-8"
    case .inputKind: "an input is neither a vector nor an index"
    case .operationCode: "an operation is of a kind that this tool does not know"
    case .attributes: "an operation has attributes that its kind does not take"
    case .tensorType: "a tensor is of a type that this tool does not know"
    case .tensorScaling: "a tensor's scaling does not belong to its type"
    case .tensorRank: "a tensor has no dimension or too many"
    case .tensorDimension: "a dimension is zero or larger than the format allows"
    case .tensorTooLarge: "a tensor is larger than the format allows"
    case .weightsLength: "the weights are not as long as the tensors say"
    case .metadataKey: "a metadata key is not printable ASCII, or out of order"
    case .goldenFlags: "a golden run has a flag that this tool does not know"
    case .goldenProgram: "a golden run belongs to a program that does not exist"
    }
  }
}

extension ProgramFault {
  /// What the number behind the program's is about.
  fileprivate var place: String {
    switch self {
    case .noInputs, .tooManyInputs, .inputSize, .frameTooLarge: "input"
    case .noOutputs, .tooManyOutputs, .outputSlot, .outputIsIndex, .predictionTooLarge: "output"
    default: "operation"
    }
  }

  fileprivate var text: String {
    switch self {
    case .noPrograms: "there is no program"
    case .tooManyPrograms: "there are more programs than the format allows"
    case .nameTooLong: "a name is longer than the format allows"
    case .duplicateName: "an earlier program has the same name"
    case .noInputs: "the program has no input"
    case .tooManyInputs: "the program has more inputs than the format allows"
    case .inputSize: "the size is not positive or larger than the format allows"
    case .frameTooLarge: "the frame is larger than the format allows"
    case .tooManyOperations: "there are more operations than the format allows"
    case .operandCount: "the number of operands is wrong"
    case .tensorCount: "the number of tensors is wrong"
    case .stateCount: "the number of states is wrong"
    case .noSuchSlot: "an operand does not exist yet"
    case .noSuchTensor: "a tensor does not exist"
    case .noSuchState: "a state does not exist"
    case .operandIsIndex: "an operand is an index where a vector is needed"
    case .operandIsVector: "an operand is a vector where an index is needed"
    case .operandSize: "operands of different sizes"
    case .tensorShape: "a tensor has not the shape that is needed"
    case .tensorStorage: "a tensor of numbers of elements is not stored as 32-bit floats"
    case .tensorValue: "a tensor holds a number that is no element of the operand"
    case .stateSize: "a state has not the size that is needed"
    case .stateWrittenTwice: "a state is written twice"
    case .attribute:
      "an attribute is set where the operation does not take it, or to a number that it does not take"
    case .wholeSequence:
      "a program of whole sequences cannot end steps early, or change a state behind a 'reverse' that it recalls before it"
    case .resultTooLarge: "the result is larger than the format allows"
    case .windowsTooLarge: "the operation's windows take more products than the format allows"
    case .weightsTooLarge: "the same weights are used by too many operations"
    case .slotsTooLarge: "the program's results are larger than the format allows"
    case .noOutputs: "the program has no output"
    case .tooManyOutputs: "the program has more outputs than the format allows"
    case .outputSlot: "the result that is given out does not exist"
    case .outputIsIndex: "an index input cannot be given out"
    case .predictionTooLarge: "the prediction is larger than the format allows"
    }
  }
}

extension StateFault {
  fileprivate var text: String {
    switch self {
    case .tooMany: "there are more states than the format allows"
    case .nameTooLong: "the name is longer than the format allows"
    case .size: "the size is not positive or larger than the format allows"
    case .statesTooLarge: "all states together are larger than the format allows"
    case .noSuchTensor: "the initial tensor does not exist"
    case .initialShape: "the initial tensor has another shape"
    case .initialStorage: "the initial tensor is not stored as 32-bit floats"
    }
  }
}

extension TensorFault {
  fileprivate var text: String {
    switch self {
    case .tooMany: "there are more tensors than the format allows"
    case .nameTooLong: "the name is longer than the format allows"
    case .rank: "there is no dimension, or more than two"
    case .dimension: "a dimension is not positive or larger than the format allows"
    case .tooLarge: "the tensor is larger than the format allows"
    case .elementCount: "the count of numbers is not what the shape says"
    case .scaleCount: "there is not one scale for each row"
    case .scale: "a scale is negative, not finite or too large"
    case .nonFinite: "a weight is infinite or not a number"
    }
  }
}

extension MetadataFault {
  fileprivate var text: String {
    switch self {
    case .tooManyEntries: "there are more entries than the format allows"
    case .key: "the key is empty, too long or not printable ASCII"
    case .tooManyValues: "there are more values than the format allows"
    case .valueTooLong: "a value is longer than the format allows"
    }
  }
}

extension GoldenFault {
  fileprivate var text: String {
    switch self {
    case .tolerance: "the tolerance is negative, not finite, or zero"
    case .tooManyRuns: "there are more runs than the format allows"
    case .noSuchProgram: "the program does not exist"
    case .frames: "the frames are not a positive number of whole frames"
    case .predictions: "there is not one prediction for each frame"
    case .nonFinite: "a number is infinite or not a number"
    case .index: "an index is not a whole number within its input's size"
    }
  }
}

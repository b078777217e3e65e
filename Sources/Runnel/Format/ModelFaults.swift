/// What is wrong with the bytes of a file.
///
/// The cases stand in the order in which the reader checks.
public enum FormatFault: Equatable, Sendable {
  /// The first eight bytes are not the signature of a `.runnel` file.
  case signature
  /// The version is one that this reader does not know.
  case version
  /// The file needs a feature that this reader does not have.
  case unknownFeature
  /// The number of sections is not the version's.
  case sectionCount
  /// The file is larger than the format allows.
  case fileTooLarge
  /// The file ends before the length that its header states, or within its header.
  case truncated
  /// The file goes on behind the length that its header states.
  case trailingBytes
  /// The header or the section table was changed since it was written.
  case headerChecksum
  /// A reserved byte is not zero.
  case reserved
  /// A section is not the one that belongs in its place.
  case sectionKind
  /// The lengths of the sections do not add up to the file's.
  case sectionLength
  /// A byte between two sections, or between two tensors, is not zero.
  case padding
  /// A section was changed since it was written.
  case sectionChecksum
  /// A section ends within a value.
  case sectionTooShort
  /// A section goes on behind its last value.
  case sectionTooLong
  /// A list or a string is longer than the format allows.
  case countTooLarge
  /// A string is not valid UTF-8.
  case invalidUTF8
  /// An input port is neither a vector nor an index.
  case inputKind
  /// An operation has a code that this reader does not know.
  case operationCode
  /// An operation has an attribute that its code does not take, a value that the attribute does not
  /// take, or attributes out of order.
  case attributes
  /// A tensor has a type that this reader does not know.
  case tensorType
  /// A tensor's scaling is not the one that its type takes.
  case tensorScaling
  /// A tensor has no dimension, or too many.
  case tensorRank
  /// A dimension is zero or larger than the format allows.
  case tensorDimension
  /// A tensor has more elements than the format allows.
  case tensorTooLarge
  /// The weights section is not as long as its tensors.
  case weightsLength
  /// A metadata key is not printable ASCII, or not behind the one before it.
  case metadataKey
  /// A golden run has a flag that this reader does not know.
  case goldenFlags
  /// A golden run belongs to a program that does not exist.
  case goldenProgram
}

/// Why a program does not fit together.
///
/// `operation` in ``ModelError/program(_:program:operation:)`` is an operation's place in its
/// list; for a fault of an input or an output it is the port's place; for a fault of a program
/// as a whole it is 0.
public enum ProgramFault: Equatable, Sendable {
  /// There is no program.
  case noPrograms
  /// There are more programs than the format allows.
  case tooManyPrograms
  /// The program, or one of its ports, has a name that is longer than the format allows.
  case nameTooLong
  /// An earlier program has the same name.
  case duplicateName
  /// The program has no input.
  case noInputs
  /// The program has more inputs than the format allows.
  case tooManyInputs
  /// The size of an input is not positive, or larger than the format allows.
  case inputSize
  /// A frame is larger than the format allows.
  case frameTooLarge
  /// The program has more operations than the format allows.
  case tooManyOperations
  /// The operation takes another number of operands.
  case operandCount
  /// The operation takes another number of tensors.
  case tensorCount
  /// The operation takes another number of states.
  case stateCount
  /// An operand is a slot that does not exist yet.
  case noSuchSlot
  /// A tensor does not exist.
  case noSuchTensor
  /// A state does not exist.
  case noSuchState
  /// An operand is an index, and the operation takes a vector.
  case operandIsIndex
  /// An operand is a vector, and the operation takes an index.
  case operandIsVector
  /// Operands that must be of one size are not.
  case operandSize
  /// A tensor has not the shape that the operation needs.
  case tensorShape
  /// A tensor that must be stored as 32-bit floats is not.
  case tensorStorage
  /// A tensor of numbers of elements holds one that is no element.
  case tensorValue
  /// A state has not the size that the operation needs.
  case stateSize
  /// A state is written by two operations of one program, or twice by one.
  case stateWrittenTwice
  /// An attribute is set where the operation does not take it, or to a number that it does not take.
  case attribute
  /// An `every` stands in a program of whole sequences, or a `reverse` between the operations that
  /// recall and change a state.
  case wholeSequence
  /// The result is larger than the format allows.
  case resultTooLarge
  /// The windows of an operation take more products than the format allows.
  case windowsTooLarge
  /// Up to here, operations use the same tensors in so many ways that packing their weights would
  /// take memory out of proportion to the model.
  case weightsTooLarge
  /// All slots together are larger than the format allows.
  case slotsTooLarge
  /// The program has no output.
  case noOutputs
  /// The program has more outputs than the format allows.
  case tooManyOutputs
  /// An output is a slot that does not exist.
  case outputSlot
  /// An output is an index input.
  case outputIsIndex
  /// A prediction is larger than the format allows.
  case predictionTooLarge
}

/// Why a state is wrong.
public enum StateFault: Equatable, Sendable {
  /// There are more states than the format allows.
  case tooMany
  /// The name is longer than the format allows.
  case nameTooLong
  /// The size is not positive, or larger than the format allows.
  case size
  /// All states together are larger than the format allows.
  case statesTooLarge
  /// The initial tensor does not exist.
  case noSuchTensor
  /// The initial tensor has not the state's shape.
  case initialShape
  /// The initial tensor is not stored as 32-bit floats.
  case initialStorage
}

/// Why a tensor is wrong.
public enum TensorFault: Equatable, Sendable {
  /// There are more tensors than the format allows.
  case tooMany
  /// The name is longer than the format allows.
  case nameTooLong
  /// The tensor has no dimension, or more than two.
  case rank
  /// A dimension is not positive, or larger than the format allows.
  case dimension
  /// The tensor has more elements than the format allows.
  case tooLarge
  /// There are more or fewer numbers than the shape says.
  case elementCount
  /// There is not one scale for each row.
  case scaleCount
  /// A scale is negative, not finite, or so large that a weight would not be finite.
  case scale
  /// A number is infinite or not a number.
  case nonFinite
}

/// Why metadata cannot be written.
public enum MetadataFault: Equatable, Sendable {
  /// There are more entries than the format allows.
  case tooManyEntries
  /// A key is empty, too long, or not printable ASCII.
  case key
  /// An entry has more values than the format allows.
  case tooManyValues
  /// A value is longer than the format allows.
  case valueTooLong
}

/// Why golden frames do not belong to the model.
public enum GoldenFault: Equatable, Sendable {
  /// The tolerance is negative or not finite, or zero although there are runs.
  case tolerance
  /// There are more runs than the format allows.
  case tooManyRuns
  /// The program does not exist.
  case noSuchProgram
  /// The frames are not a positive number of whole frames.
  case frames
  /// There is not one prediction for each frame.
  case predictions
  /// A number is infinite or not a number.
  case nonFinite
  /// An index of a frame is not a whole number within its port's size.
  case index
}

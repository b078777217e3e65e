/// Why a model cannot be read, written or loaded.
///
/// Payloads are numbers, so that throwing one never allocates; tools turn them into sentences.
public enum ModelError: Error, Equatable, Sendable {
  /// The file could not be opened, read or written; `errno` says why.
  case file(errno: Int32)
  /// The bytes are not a `.runnel` file; `offset` is the first byte that is wrong.
  case format(FormatFault, offset: Int)
  /// The parts do not fit together, at an operation of a program; see ``ProgramFault`` for
  /// what `operation` means where the fault is not an operation's.
  case program(ProgramFault, program: Int, operation: Int)
  /// A state is wrong in itself.
  case state(StateFault, state: Int)
  /// A tensor is wrong in itself.
  case tensor(TensorFault, tensor: Int)
  /// Metadata cannot be written; entries are counted in the order of their keys.
  case metadata(MetadataFault, entry: Int)
  /// The golden frames do not have the shape of the program that they belong to.
  case golden(GoldenFault, run: Int)
  /// The golden frames gave other predictions than the file says.
  case deviation(Float, tolerance: Float)
  /// The CPU has not the instructions that were asked for.
  case unsupportedLevel
}

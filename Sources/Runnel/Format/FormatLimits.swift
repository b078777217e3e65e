/// The largest of everything that a `.runnel` file may hold.
///
/// Every limit is far above what a model that runs frame by frame needs, and low enough that no
/// sum or product of sizes overflows and that a hostile file cannot ask for memory out of
/// proportion to itself.
package enum FormatLimits {
  /// Bytes of a file: 2 GiB, so that readers in other languages can count in 32 bits.
  package static let fileBytes = 1 << 31
  /// Bytes of a string.
  package static let stringBytes = 65_535
  /// Programs of a model; most have one or two.
  package static let programs = 16
  /// Input or output ports of a program.
  package static let ports = 64
  /// Operations of a program.
  package static let operations = 4_096
  /// Operands of an operation, and slots that are concatenated.
  package static let operands = 64
  /// States of a model; an LSTM layer has two.
  package static let states = 1_024
  /// Tensors of a model; a GRU layer has four.
  package static let tensors = 4_096
  /// Dimensions of a tensor.
  package static let rank = 2
  /// Elements along one dimension, of a vector, of a frame and of a prediction.
  ///
  /// Whole numbers up to here are exact as `Float`, as index inputs need.
  package static let dimension = 65_536
  /// Elements of one tensor: 1 GiB of 32-bit floats.
  package static let tensorElements = 1 << 28
  /// Products of one operation on windows, as many as the largest matrix takes.
  ///
  /// A small matrix meets many windows, so that the size of the file does not bound a step's work.
  package static let windowProducts = 1 << 28
  /// Elements of all states together, and of all slots of a program: 16 MiB each.
  ///
  /// The block of a session stays within tens of megabytes, whatever a small file claims.
  package static let workingElements = 1 << 22
  /// Entries of metadata.
  package static let metadataEntries = 1_024
  /// Values of one entry of metadata: one label for each element of the largest output.
  package static let metadataValues = 65_536
  /// Runs of golden frames.
  package static let goldenRuns = 1_024
}

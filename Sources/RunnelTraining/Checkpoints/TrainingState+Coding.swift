internal import Runnel

// A checkpoint, version 2, little-endian; a change of training's arithmetic is another version, as a run
// that goes on would not get the bits of either:
//
//     8 bytes   RUNNELCP
//     u32       the version, 2
//     u64       the fingerprint of specification, settings and data
//     …         the state: the fields in the order in which they are written below
//     u32       the CRC-32C of everything before

extension TrainingState {
  static let magic = [UInt8]("RUNNELCP".utf8)
  private static let version: UInt32 = 2

  /// The bytes of a checkpoint.
  func encoded(fingerprint: UInt64) -> [UInt8] {
    var writer = CheckpointWriter()
    for byte in Self.magic { writer.integer(byte) }
    writer.integer(Self.version)
    writer.integer(fingerprint)
    writer.floats(parameters)
    writer.floats(averaged)
    writer.floats(optimizer.memory)
    writer.count(optimizer.updates)
    writer.count(epoch)
    writer.count(minibatch)
    writer.double(epochScore.weight)
    writer.double(epochScore.loss)
    writer.double(epochScore.metric)
    writer.count(history.count)
    for record in history { record.encode(to: &writer) }
    writer.flag(best != nil)
    if let best {
      writer.count(best.epoch)
      writer.double(best.loss)
      writer.floats(best.parameters)
    }
    writer.integer(CRC32C().checksum(of: writer.bytes.span))
    return writer.bytes
  }

  /// The state in a checkpoint.
  ///
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - fingerprint: That of the run that is to go on.
  ///   - start: The state that the run begins with, for the number of parameters.
  /// - Throws: ``TrainingError/checkpointDamaged`` or ``TrainingError/checkpointMismatch``.
  init(
    decoding bytes: [UInt8], fingerprint: UInt64, start: TrainingState
  ) throws(TrainingError) {
    guard bytes.count > Self.magic.count + 4, bytes.starts(with: Self.magic) else {
      throw .checkpointDamaged
    }
    let body = bytes.dropLast(4)
    var checksum = CheckpointReader(bytes.suffix(4))
    guard try checksum.integer() == CRC32C().checksum(of: Array(body).span) else {
      throw .checkpointDamaged
    }
    var reader = CheckpointReader(body.dropFirst(Self.magic.count))
    guard try reader.integer() == Self.version else { throw .checkpointMismatch }
    guard try reader.integer() == fingerprint else { throw .checkpointMismatch }
    self = start
    parameters = try reader.floats(start.parameters.count)
    averaged = try reader.floats(start.averaged.count)
    optimizer.memory = try reader.floats(start.optimizer.memory.count)
    optimizer.updates = try reader.count()
    epoch = try reader.count()
    minibatch = try reader.count()
    epochScore.weight = try reader.double()
    epochScore.loss = try reader.double()
    epochScore.metric = try reader.double()
    for _ in 0..<(try reader.count()) { history.append(try EpochRecord(from: &reader)) }
    if try reader.flag() {
      best = Best(
        epoch: try reader.count(), loss: try reader.double(),
        parameters: try reader.floats(start.parameters.count))
    }
    guard reader.isAtEnd else { throw .checkpointDamaged }
  }
}

extension EpochRecord {
  fileprivate func encode(to writer: inout CheckpointWriter) {
    writer.count(epoch)
    writer.integer(learningRate.bitPattern)
    training.encode(to: &writer)
    writer.flag(validation != nil)
    validation?.encode(to: &writer)
  }

  fileprivate init(from reader: inout CheckpointReader) throws(TrainingError) {
    epoch = try reader.count()
    learningRate = Float(bitPattern: try reader.integer())
    training = try Evaluation(from: &reader)
    if try reader.flag() { validation = try Evaluation(from: &reader) }
  }
}

extension Evaluation {
  fileprivate func encode(to writer: inout CheckpointWriter) {
    writer.double(loss)
    writer.double(metric)
    writer.flag(metricKind == .accuracy)
  }

  fileprivate init(from reader: inout CheckpointReader) throws(TrainingError) {
    loss = try reader.double()
    metric = try reader.double()
    metricKind = try reader.flag() ? .accuracy : .rootMeanSquaredError
  }
}

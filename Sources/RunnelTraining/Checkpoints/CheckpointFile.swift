internal import Runnel

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// The file that one run saves itself in.
package struct CheckpointFile {
  private let plan: CheckpointPlan
  private let fingerprint: UInt64
  private let start: TrainingState

  init(_ plan: CheckpointPlan, trainer: Trainer) {
    self.plan = plan
    fingerprint = Fingerprint(trainer).value
    start = TrainingState(startOf: trainer)
  }

  /// The state in the file; `nil` if there is no file.
  func read() throws(TrainingError) -> TrainingState? {
    let bytes: [UInt8]
    do throws(ModelError) {
      bytes = try ModelFile.read(plan.path)
    } catch {
      if error == .file(errno: ENOENT) { return nil }
      throw .checkpointFile(error)
    }
    return try TrainingState(decoding: bytes, fingerprint: fingerprint, start: start)
  }

  /// Whether the file at a path begins as a checkpoint does.
  package static func isCheckpoint(_ path: String) -> Bool {
    guard var source = try? ByteSource(path: path) else { return false }
    var bytes: [UInt8] = []
    let magic = TrainingState.magic
    while bytes.count < magic.count, (try? source.read(into: &bytes, atMost: 64)) == true {}
    return bytes.starts(with: magic)
  }

  /// Whether the plan asks for a checkpoint here.
  func isDue(_ run: TrainingRun) -> Bool {
    let state = run.state
    guard state.minibatch == 0 else {
      return plan.minibatches.map { state.minibatch % max($0, 1) == 0 } ?? false
    }
    return run.isFinished || state.epoch % max(plan.epochs, 1) == 0
  }

  /// Replaces the file.
  func write(_ state: TrainingState) throws(TrainingError) {
    do throws(ModelError) {
      try AtomicFile.write(state.encoded(fingerprint: fingerprint), to: plan.path)
    } catch {
      throw .checkpointFile(error)
    }
  }
}

import Glibc
import RunnelTraining

/// The files that a training run writes, checked before the work against what is there.
struct TrainingFiles {
  let output: String
  let curve: String
  let checkpoint: String

  /// Names the files; curve and checkpoint stand beside the model if nothing else is said.
  init(output: String, checkpoint: String?) {
    let stem = output.hasSuffix(".runnel") ? String(output.dropLast(7)) : output
    self.output = output
    curve = stem + ".svg"
    self.checkpoint = checkpoint ?? stem + ".checkpoint"
  }

  /// Refuses files that could not be written, or whose writing would destroy something else.
  ///
  /// - Parameters:
  ///   - sources: The recipe and the files that it names.
  ///   - resumes: Whether the checkpoint is read before it is replaced.
  func check(sources: [String], resumes: Bool) throws {
    let written = [
      ("the model", output), ("the training curve", curve), ("the checkpoint", checkpoint),
    ]
    for (index, (what, path)) in written.enumerated() {
      guard !path.isEmpty else { throw Failure(.usage, "the file name of \(what) is empty") }
      let place = OutputFile.resolved(path)
      for (other, otherPath) in written[..<index] where OutputFile.resolved(otherPath) == place {
        throw Failure(.usage, "\(path): \(other) and \(what) cannot be the same file")
      }
      if let source = sources.first(where: { OutputFile.resolved($0) == place }) {
        throw Failure(
          .usage, "\(path): \(what) would replace \(source), which the training reads")
      }
    }
    for (_, path) in written { try OutputFile.requireWritable(path) }
    if !resumes { try requireCheckpoint() }
  }

  /// Removes the checkpoint, where there is one.
  func removeCheckpoint() throws {
    try requireCheckpoint()
    unsafe unlink(checkpoint)
  }

  /// Refuses a file at the checkpoint's path that is none.
  private func requireCheckpoint() throws(Failure) {
    guard OutputFile.status(checkpoint) != nil, !CheckpointFile.isCheckpoint(checkpoint) else {
      return
    }
    throw Failure(
      .cannotCreate,
      "\(checkpoint): is not a checkpoint, and is left as it is; remove it or name another file "
        + "with --checkpoint")
  }
}

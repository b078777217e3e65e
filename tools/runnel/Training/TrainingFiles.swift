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
      let place = Self.resolved(path)
      for (other, otherPath) in written[..<index] where Self.resolved(otherPath) == place {
        throw Failure(.usage, "\(path): \(other) and \(what) cannot be the same file")
      }
      if let source = sources.first(where: { Self.resolved($0) == place }) {
        throw Failure(
          .usage, "\(path): \(what) would replace \(source), which the training reads")
      }
    }
    for (_, path) in written { try Self.requireWritable(path) }
    if !resumes { try requireCheckpoint() }
  }

  /// Removes the checkpoint, where there is one.
  func removeCheckpoint() throws {
    try requireCheckpoint()
    unsafe unlink(checkpoint)
  }

  /// Refuses a file at the checkpoint's path that is none.
  private func requireCheckpoint() throws(Failure) {
    guard Self.status(checkpoint) != nil, !CheckpointFile.isCheckpoint(checkpoint) else { return }
    throw Failure(
      .cannotCreate,
      "\(checkpoint): is not a checkpoint, and is left as it is; remove it or name another file "
        + "with --checkpoint")
  }

  /// Refuses folders, devices and pipes, and a folder in which nothing can be written.
  private static func requireWritable(_ path: String) throws {
    if let status = status(path) {
      let kind = status.st_mode & S_IFMT
      guard kind != S_IFDIR else { throw FileError(.write, path, errno: EISDIR) }
      guard kind == S_IFREG else { throw Failure(.cannotCreate, "\(path): is not a regular file") }
    }
    let (folder, name) = split(path)
    guard unsafe access(folder, W_OK | X_OK) == 0 else {
      throw FileError(.write, path, errno: errno)
    }
    guard !name.isEmpty else { throw FileError(.write, path, errno: EISDIR) }
  }

  private static func status(_ path: String) -> stat? {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? status : nil
  }

  private static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    return (String(path[...slash]), String(path[path.index(after: slash)...]))
  }

  /// The path without links, `.` and `..`; of a file that is not there, as far as it is.
  private static func resolved(_ path: String) -> String {
    if let real = realPath(path) { return real }
    let (folder, name) = split(path)
    return realPath(folder).map { $0 == "/" ? "/" + name : $0 + "/" + name } ?? path
  }

  private static func realPath(_ path: String) -> String? {
    guard let real = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
  }
}

import Glibc
import Runnel
import RunnelTraining

/// A file that a command writes: refused before the work where it could not be written, and whole
/// or not there afterwards.
struct OutputFile {
  let path: String

  /// Checks that the file can be written, as far as this can be told.
  init(_ path: String) throws {
    guard !path.isEmpty else { throw Failure(.usage, "the name of the file to write is empty") }
    try Self.requireWritable(path)
    self.path = path
  }

  /// Replaces the file.
  func write(_ bytes: [UInt8]) throws {
    do throws(ModelError) {
      try AtomicFile.write(bytes, to: path)
    } catch .file(let errno) {
      throw FileError(.write, path, errno: errno)
    } catch {
      throw Failure(.cannotCreate, "\(path): \(error.text)")
    }
  }

  /// Refuses folders, devices and pipes, and a folder in which nothing can be written.
  static func requireWritable(_ path: String) throws {
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

  /// What the system knows of a file; `nil` where there is none.
  static func status(_ path: String) -> stat? {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? status : nil
  }

  private static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    return (String(path[...slash]), String(path[path.index(after: slash)...]))
  }

  /// The path without links, `.` and `..`; of a file that is not there, as far as it is.
  static func resolved(_ path: String) -> String {
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

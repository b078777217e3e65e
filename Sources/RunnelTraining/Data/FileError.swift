#if canImport(Glibc)
  internal import Glibc
#endif

/// The system's refusal to open, read or write a file.
package struct FileError: Error, Equatable, Sendable {
  /// What was tried.
  package enum Action: String, Sendable {
    case read, write
  }
  package var action: Action
  /// The file as the user named it.
  package var file: String
  package var errno: Int32
  /// Where the file is named, if not on the command line.
  package var namedBy: String?

  /// Makes an error.
  package init(_ action: Action, _ file: String, errno: Int32, namedBy: String? = nil) {
    self.action = action
    self.file = file
    self.errno = errno
    self.namedBy = namedBy
  }
}

extension FileError: CustomStringConvertible {
  package var description: String {
    let reason = unsafe String(cString: strerror(errno))
    let text = "\(file): cannot \(action.rawValue): \(reason)"
    return namedBy.map { "\(text) (named by \($0))" } ?? text
  }
}

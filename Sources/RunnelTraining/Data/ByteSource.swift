#if canImport(Glibc)
  internal import Glibc
#endif

/// Reads a file, pipe or terminal with `read(2)`: gives what is there without waiting for more.
package struct ByteSource: ~Copyable {
  /// The file as the user named it.
  package let file: String
  private let descriptor: Int32
  private let owned: Bool

  /// Opens a file.
  package init(path: String) throws(FileError) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError(.read, path, errno: errno) }
    self.descriptor = descriptor
    file = path
    owned = true
  }

  /// Reads the process's standard input.
  package init() {
    descriptor = STDIN_FILENO
    file = "standard input"
    owned = false
  }

  deinit { if owned { close(descriptor) } }

  /// Appends the bytes that have come, waiting only while there are none.
  ///
  /// - Returns: Whether there were any; `false` at the end.
  package mutating func read(into bytes: inout [UInt8], atMost count: Int) throws(FileError) -> Bool
  {
    let filled = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: count))
    while true {
      let got = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe Glibc.read(descriptor, buffer.baseAddress! + filled, count)
      }
      if got < 0 && errno == EINTR { continue }
      let fault = errno
      bytes.removeLast(count - max(got, 0))
      guard got >= 0 else { throw FileError(.read, file, errno: fault) }
      return got > 0
    }
  }

  /// The whole content of a file.
  package static func contents(of path: String) throws(FileError) -> [UInt8] {
    var reader = try ByteSource(path: path)
    var bytes: [UInt8] = []
    while try reader.read(into: &bytes, atMost: 1 << 16) {}
    return bytes
  }
}

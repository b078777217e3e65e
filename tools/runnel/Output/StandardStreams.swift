import Glibc

/// The reader of standard output went away: no fault of anybody, the process ends quietly.
struct ClosedPipe: Error {}

/// Standard output with a buffer that is sent when its user says so, or when it is large.
final class StandardOutput {
  private var bytes: [UInt8] = []

  /// Adds text.
  func write(_ text: String) throws {
    bytes.append(contentsOf: text.utf8)
    if bytes.count >= 1 << 16 { try flush() }
  }

  /// Sends everything.
  func flush() throws {
    defer { bytes.removeAll(keepingCapacity: true) }
    try unsafe bytes.withUnsafeBytes { buffer in
      var sent = 0
      while sent < buffer.count {
        // SAFETY: what is left of the buffer, which outlives the call.
        let count = unsafe Glibc.write(
          STDOUT_FILENO, buffer.baseAddress! + sent, buffer.count - sent)
        if count >= 0 {
          sent += count
        } else if errno == EPIPE {
          throw ClosedPipe()
        } else if errno != EINTR {
          let reason = unsafe String(cString: strerror(errno))
          throw Failure(.inputOutput, "standard output: cannot write: \(reason)")
        }
      }
    }
  }
}

/// Sends results to standard output at once.
func printResult(_ text: String) throws {
  let output = StandardOutput()
  try output.write(text + "\n")
  try output.flush()
}

/// Standard error, for messages to people; what cannot be sent is lost.
enum StandardError {
  /// Whether a person looks on.
  static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  static func write(_ text: String) {
    var text = text
    text.withUTF8 { buffer in
      var sent = 0
      while sent < buffer.count {
        // SAFETY: what is left of the buffer, which outlives the call.
        let count = unsafe Glibc.write(
          STDERR_FILENO, buffer.baseAddress! + sent, buffer.count - sent)
        if count < 0 && errno != EINTR { return }
        sent += max(count, 0)
      }
    }
  }
}

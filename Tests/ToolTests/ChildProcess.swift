import Glibc

/// A call of the system that failed.
struct SystemError: Error {
  let call: String
  let code: Int32

  init(_ call: String) {
    self.call = call
    code = errno
  }
}

/// A process that was started, and is killed when nobody refers to it any more.
final class ChildProcess {
  /// What the process reads and writes: descriptors of this process, which it does not inherit
  /// under their own numbers.
  struct Streams {
    var input: Int32
    var output: Int32
    var errors: Int32
  }

  let identifier: pid_t
  private var code: Int32?

  /// Starts an executable.
  ///
  /// - Parameter folder: Its working directory, if not that of the tests.
  init(
    _ executable: String, _ arguments: [String], streams: Streams, in folder: String? = nil
  ) throws {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, streams.input, STDIN_FILENO)
    unsafe posix_spawn_file_actions_adddup2(&actions, streams.output, STDOUT_FILENO)
    unsafe posix_spawn_file_actions_adddup2(&actions, streams.errors, STDERR_FILENO)
    // Nothing of other tests, whose pipes would otherwise not end.
    for descriptor in STDERR_FILENO + 1..<256 {
      unsafe posix_spawn_file_actions_addclose(&actions, descriptor)
    }
    let change = folder.map { ["/usr/bin/env", "--chdir", $0] } ?? []
    let line = change + [executable] + arguments
    var words = unsafe line.map { unsafe strdup($0) } + [nil]
    defer { unsafe words.forEach { unsafe free($0) } }
    var identifier: pid_t = 0
    errno = unsafe posix_spawn(&identifier, line[0], &actions, nil, &words, environ)
    guard errno == 0 else { throw SystemError("posix_spawn") }
    self.identifier = identifier
  }

  deinit {
    guard code == nil else { return }
    kill(identifier, SIGKILL)
    waitpid(identifier, nil, 0)
  }

  /// Whether the process has not ended yet.
  var isRunning: Bool {
    if code != nil { return false }
    var status: Int32 = 0
    guard unsafe waitpid(identifier, &status, WNOHANG) == identifier else { return true }
    code = status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
    return false
  }

  /// Waits for the end.
  ///
  /// - Returns: The exit code; the signal that ended the process as a negative number.
  func wait(seconds: Int = 120) throws -> Int32 {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while isRunning {
      guard ContinuousClock.now < deadline else {
        errno = ETIMEDOUT
        throw SystemError("waitpid")
      }
      usleep(500)
    }
    return code!
  }

  /// Sends a signal.
  func send(_ signal: Int32) { kill(identifier, signal) }
}

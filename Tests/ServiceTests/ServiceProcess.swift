import Glibc
import Runnel
import TestSupport

struct SystemError: Error {
  let call: String
  let code: Int32

  init(_ call: String) {
    self.call = call
    code = errno
  }
}

/// A service that runs: the executable that users get, as a process of its own.
final class ServiceProcess {
  let folder: TemporaryFolder
  let identifier: pid_t
  private let log: String
  private var status: Int32?

  var socket: String { folder.path + "/socket" }
  /// Everything that the service has said.
  var said: String { contents(of: log) }

  /// Starts a service in a folder that holds a file named `model`.
  ///
  /// - Parameters:
  ///   - words: The command line behind the name; what users would say if it is `nil`.
  ///   - descriptors: How many descriptors the process may have.
  init(
    in folder: TemporaryFolder, _ words: [String]? = nil, options: [String] = [],
    log: String = "log", descriptors: Int? = nil
  ) throws {
    self.folder = folder
    self.log = folder.path + "/" + log
    let executable = try Self.executable()
    let words = words ?? [folder.path + "/model", folder.path + "/socket"]
    let limit = descriptors.map { "ulimit -n \($0); " } ?? ""
    let line = ["/bin/sh", "-c", limit + "exec \"$0\" \"$@\"", executable] + words + options

    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(
      &actions, STDERR_FILENO, self.log, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    // Nothing that the tests were started with, so that descriptors can be counted.
    for descriptor in STDERR_FILENO + 1..<256 {
      unsafe posix_spawn_file_actions_addclose(&actions, descriptor)
    }
    var arguments = unsafe line.map { unsafe strdup($0) } + [nil]
    defer { unsafe arguments.forEach { unsafe free($0) } }
    var identifier: pid_t = 0
    guard unsafe posix_spawn(&identifier, "/bin/sh", &actions, nil, &arguments, environ) == 0
    else { throw SystemError("posix_spawn") }
    self.identifier = identifier
  }

  /// Starts a service with a model, and waits until it listens.
  static func serving(
    _ model: ModelDescription, options: [String] = [], descriptors: Int? = nil
  ) throws -> ServiceProcess {
    let folder = TemporaryFolder()
    try model.write(to: folder.path + "/model")
    let service = try ServiceProcess(in: folder, options: options, descriptors: descriptors)
    try service.waitUntilListening()
    return service
  }

  func waitUntilListening() throws {
    try wait("the service listens") { said.contains("listening on \(socket)\n") }
  }

  deinit {
    if status == nil {
      kill(identifier, SIGKILL)
      waitpid(identifier, nil, 0)
    }
  }

  func send(_ signal: Int32) { kill(identifier, signal) }

  /// Waits until the process has ended, and returns its exit code; nil if a signal ended it.
  func exitCode() throws -> Int32? {
    var status: Int32 = 0
    try wait("the service ends") { unsafe waitpid(identifier, &status, WNOHANG) == identifier }
    self.status = status
    return status & 0x7f == 0 ? status >> 8 & 0xff : nil
  }

  /// Bytes of memory that the process has in use.
  var residentBytes: Int {
    let line = contents(of: "/proc/\(identifier)/status").split(separator: "\n")
      .first { $0.hasPrefix("VmRSS:") }
    return 1_024 * (line?.split(whereSeparator: { " \t".contains($0) })[1]).flatMap { Int($0) }!
  }

  /// How many descriptors the process has open.
  var descriptorCount: Int {
    guard let folder = unsafe opendir("/proc/\(identifier)/fd") else { return -1 }
    defer { unsafe closedir(folder) }
    var count = 0
    while unsafe readdir(folder) != nil { count += 1 }
    return count - 2
  }

  /// The executable stands beside the tests, which are an executable too.
  private static func executable() throws -> String {
    guard let tests = unsafe realpath("/proc/self/exe", nil) else { throw SystemError("realpath") }
    defer { unsafe free(tests) }
    let path = unsafe String(cString: tests)
    return path[...path.lastIndex(of: "/")!] + "runnel-service"
  }
}

struct TimedOut: Error {
  let condition: String
}

/// Waits until something is so, for up to ten seconds.
func wait(_ condition: String, until isSo: () -> Bool) throws {
  let deadline = ContinuousClock.now + .seconds(10)
  while !isSo() {
    guard ContinuousClock.now < deadline else { throw TimedOut(condition: condition) }
    usleep(2_000)
  }
}

/// The text of a file, also of one whose size is not known; empty if there is none.
func contents(of path: String) -> String {
  let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return "" }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var part = [UInt8](repeating: 0, count: 4_096)
  while true {
    let count = unsafe read(descriptor, &part, part.count)
    guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
    bytes += part[..<count]
  }
}

/// Whether there is anything at a path.
func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

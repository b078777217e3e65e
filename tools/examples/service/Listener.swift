import Glibc

/// A Unix socket that clients connect to, and its place in the file system.
///
/// A socket that a service left behind when it was killed is replaced. One that a service still
/// listens on is not, nor is anything that is not a socket.
final class Listener {
  /// The socket; negative when it is closed.
  private(set) var descriptor: Int32
  private let path: String
  private var identity: Identity?

  init(path: String) throws(Failure) {
    var address = try Self.address(of: path)
    descriptor = socket(AF_UNIX, streamSocket, 0)
    guard descriptor >= 0 else { throw .system("socket") }
    self.path = path

    // Two services that start at once would both see a stale socket, and the second would remove
    // the first one's. The lock on the folder lasts from the look at the old socket to `listen`.
    let folder = unsafe open(Self.folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw Self.fault(path, systemText(errno)) }
    defer { Glibc.close(folder) }
    guard flock(folder, LOCK_EX) == 0 else { throw .system("flock") }

    if unsafe withSocketAddress(&address, { unsafe bind(descriptor, $0, $1) }) != 0 {
      guard errno == EADDRINUSE else { throw Self.fault(path, systemText(errno)) }
      try Self.removeStale(path, &address)
      guard unsafe withSocketAddress(&address, { unsafe bind(descriptor, $0, $1) }) == 0 else {
        throw Self.fault(path, systemText(errno))
      }
    }
    identity = Identity(path)
    guard fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0, listen(descriptor, SOMAXCONN) == 0 else {
      throw .system("listen")
    }
  }

  /// Removes the socket, if it is still there, and closes it.
  func close() {
    guard descriptor >= 0 else { return }
    // Removed while it still answers, so that nobody takes it for stale; and only if it is ours:
    // the socket may have been removed by hand and made again by another service.
    if let identity, Identity(path) == identity { unsafe unlink(path) }
    Glibc.close(descriptor)
    descriptor = -1
  }

  /// Removes a socket that nobody listens on.
  private static func removeStale(
    _ path: String, _ address: inout sockaddr_un
  ) throws(Failure) {
    guard let identity = Identity(path) else { return }
    guard identity.isSocket else { throw fault(path, "is there and is not a socket") }
    let probe = socket(AF_UNIX, streamSocket, 0)
    guard probe >= 0 else { throw .system("socket") }
    defer { Glibc.close(probe) }
    // Not blocking, because a service that listens may have its hands full.
    guard fcntl(probe, F_SETFL, O_NONBLOCK) == 0 else { throw .system("fcntl") }
    let connected = unsafe withSocketAddress(&address) { unsafe connect(probe, $0, $1) }
    guard connected != 0, errno == ECONNREFUSED else {
      throw fault(path, "another service listens on it")
    }
    guard unsafe unlink(path) == 0 else { throw fault(path, systemText(errno)) }
  }

  private static func address(of path: String) throws(Failure) -> sockaddr_un {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let room = MemoryLayout.size(ofValue: address.sun_path)
    // One byte stays zero, which ends the path.
    guard 1..<room ~= path.utf8.count, !path.utf8.contains(0) else {
      throw fault(path, "a socket's path has 1 to \(room - 1) bytes")
    }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    return address
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static func fault(_ path: String, _ reason: String) -> Failure {
    Failure(EX_CANTCREAT, "\(path): \(reason)")
  }
}

/// Which file a path names.
private struct Identity: Equatable {
  private let device: dev_t
  private let number: ino_t
  let isSocket: Bool

  init?(_ path: String) {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return nil }
    device = status.st_dev
    number = status.st_ino
    isSocket = status.st_mode & S_IFMT == S_IFSOCK
  }
}

private let streamSocket = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)

/// Calls with an address in the form that all socket calls take.
private func withSocketAddress(
  _ address: inout sockaddr_un, _ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32
) -> Int32 {
  let size = socklen_t(MemoryLayout<sockaddr_un>.size)
  return unsafe withUnsafePointer(to: &address) { pointer in
    unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe call($0, size) }
  }
}

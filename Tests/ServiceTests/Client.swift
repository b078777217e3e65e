import Glibc
import Runnel

/// A reply as it came: status, index, and the bits of the prediction.
struct Reply: Equatable {
  var status: UInt32 = 0
  var index: UInt32 = 0
  var prediction: [UInt32]
}

/// A client of the service.
final class Client {
  /// The hello: "RUNN", "EL/1", status, frameSize, predictionSize.
  let hello: [UInt32]
  private let descriptor: Int32
  /// Keeps the service running.
  private let service: ServiceProcess

  /// Connects, and waits for the hello.
  init(_ service: ServiceProcess) throws {
    self.service = service
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SystemError("socket") }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) {
      unsafe $0.copyBytes(from: service.socket.utf8)
    }
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    let descriptor = descriptor
    let result = unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, size)
      }
    }
    guard result == 0 else { throw SystemError("connect") }
    // A test that waits for what does not come fails instead of waiting.
    var patience = timeval(tv_sec: 10, tv_usec: 0)
    let length = socklen_t(MemoryLayout<timeval>.size)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, length)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, length)
    hello = try Self.receive(5, from: descriptor)
  }

  deinit { close(descriptor) }

  var isWelcome: Bool { hello[2] == 0 }

  func send(_ frames: some Collection<Float>) throws {
    try send(bytes: frames.flatMap { frame in Self.bytes(frame.bitPattern) })
  }

  func send(bytes: some Collection<UInt8>) throws {
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw SystemError("send") }
      rest = rest.dropFirst(count)
    }
  }

  /// Sends zeros until the socket takes no more, and returns the number of bytes it took.
  func fill() -> Int {
    let zeros = [UInt8](repeating: 0, count: 65_536)
    var sent = 0
    while true {
      let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
      let count = unsafe Glibc.send(descriptor, zeros, zeros.count, flags)
      if count > 0 {
        sent += count
      } else {
        // A little time, lest the service is only slow.
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        if unsafe poll(&entry, 1, 200) == 0 { return sent }
        if entry.revents & Int16(POLLERR | POLLHUP) != 0 { return sent }
      }
    }
  }

  func reply() throws -> Reply {
    let words = try Self.receive(2 + Int(hello[4]), from: descriptor)
    return Reply(status: words[0], index: words[1], prediction: Array(words[2...]))
  }

  /// Sends a frame and waits for its reply.
  func ask(_ frame: some Collection<Float>) throws -> Reply {
    try send(frame)
    return try reply()
  }

  /// Says that no more frames come.
  func endInput() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Whether the service has closed the connection, and everything it sent has been read.
  func isClosed() -> Bool {
    var byte: UInt8 = 0
    let count = unsafe recv(descriptor, &byte, 1, 0)
    return count == 0 || count < 0 && errno == ECONNRESET
  }

  static func bytes(_ word: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
  }

  private static func receive(_ count: Int, from descriptor: Int32) throws -> [UInt32] {
    var bytes = [UInt8](repeating: 0, count: 4 * count)
    var received = 0
    while received < bytes.count {
      let part = unsafe bytes.withUnsafeMutableBytes {
        unsafe recv(descriptor, $0.baseAddress! + received, $0.count - received, 0)
      }
      guard part > 0 else { throw SystemError("recv") }
      received += part
    }
    return (0..<count).map { word in
      (0..<4).reduce(0) { $0 | UInt32(bytes[4 * word + $1]) << (8 * $1) }
    }
  }
}

/// What a session of this process answers to frames that stand one behind the other.
func expectedReplies(_ model: Model, _ frames: [Float]) throws -> [Reply] {
  var session = Session(model)
  return try stride(from: 0, to: frames.count, by: model.frameSize).map { first in
    var prediction = [Float](repeating: 0, count: model.predictionSize)
    var span = prediction.mutableSpan
    try session.step(frames.span.extracting(first..<first + model.frameSize), into: &span)
    return Reply(prediction: prediction.map(\.bitPattern))
  }
}

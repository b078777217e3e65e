import Glibc
import TestSupport
import Testing

/// A process whose standard input and output are pipes that stay open.
final class Conversation {
  let process: ChildProcess
  private let folder = TemporaryFolder()
  private var input: Int32
  private var output: Int32
  private var received: [UInt8] = []

  init(_ executable: String, _ arguments: [String]) throws {
    func pipe() throws -> (reading: Int32, writing: Int32) {
      var ends: [Int32] = [0, 0]
      guard unsafe Glibc.pipe(&ends) == 0 else { throw SystemError("pipe") }
      return (ends[0], ends[1])
    }
    let (childInput, input) = try pipe()
    let (output, childOutput) = try pipe()
    let errors = unsafe open(
      folder.file("errors"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    defer { for end in [childInput, childOutput, errors] { close(end) } }
    self.input = input
    self.output = output
    process = try ChildProcess(
      executable, arguments,
      streams: .init(input: childInput, output: childOutput, errors: errors))
  }

  deinit {
    close(input)
    close(output)
  }

  func send(_ bytes: [UInt8]) {
    #expect(unsafe write(input, bytes, bytes.count) == bytes.count)
  }

  func send(_ text: String) { send(Array(text.utf8)) }

  /// The next line, or `nil` when none has come in time.
  func line(within milliseconds: Int32) -> String? {
    while true {
      if let newline = received.firstIndex(of: UInt8(ascii: "\n")) {
        defer { received.removeSubrange(...newline) }
        return String(decoding: received[..<newline], as: UTF8.self)
      }
      var descriptor = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
      guard unsafe poll(&descriptor, 1, milliseconds) == 1 else { return nil }
      var part = [UInt8](repeating: 0, count: 4096)
      let count = unsafe read(output, &part, part.count)
      guard count > 0 else { return nil }
      received += part[..<count]
    }
  }

  /// Goes away as a reader.
  func stopReading() {
    close(output)
    output = -1
  }

  /// Ends the input, and waits for the process.
  func end() throws -> (code: Int32, errors: String) {
    close(input)
    input = -1
    return (try process.wait(), folder.text("errors"))
  }
}

@Suite struct `A live pipe` {
  let folder = TemporaryFolder()
  let model: String

  init() throws {
    model = folder.file("classifier.runnel")
    try Models.classifier().write(to: model)
  }

  @Test(arguments: ["csv", "jsonl"])
  func `each frame is answered before the next one is sent`(format: String) throws {
    let pipe = try Conversation(Tool.executable, ["run", model, "--output-format", format])
    for frame in 1...20 {
      pipe.send("0.5,-0.25,\(frame)\n")
      #expect(pipe.line(within: 10_000) != nil, "no answer to frame \(frame)")
    }
    #expect(try pipe.end().code == 0)
  }

  @Test func `a reader that waits for the end would be noticed`() throws {
    let pipe = try Conversation("/usr/bin/sort", [])
    pipe.send("0.5,-0.25,1\n")
    #expect(pipe.line(within: 500) == nil)
  }

  @Test func `a frame that comes in pieces is answered when it is whole`() throws {
    let pipe = try Conversation(Tool.executable, ["run", model])
    pipe.send("0.5,-0.")
    #expect(pipe.line(within: 300) == nil)
    pipe.send("25,1\n")
    #expect(pipe.line(within: 10_000) != nil)
    #expect(try pipe.end().code == 0)
  }

  @Test func `raw frames are answered one by one too`() throws {
    let pipe = try Conversation(Tool.executable, ["run", model, "--input-format", "f32"])
    for _ in 0..<5 {
      pipe.send([UInt8](repeating: 0, count: 12))
      #expect(pipe.line(within: 10_000) != nil)
    }
    #expect(try pipe.end().code == 0)
  }

  @Test func `a reader that goes away ends the tool quietly`() throws {
    let pipe = try Conversation(Tool.executable, ["run", model])
    pipe.send("0.5,-0.25,1\n")
    #expect(pipe.line(within: 10_000) != nil)
    pipe.stopReading()
    pipe.send("0.5,-0.25,1\n")
    let end = try pipe.end()
    #expect(end.code == 0)
    #expect(end.errors.isEmpty)
  }

  @Test func `ctrl-C ends with 130`() throws {
    let pipe = try Conversation(Tool.executable, ["run", model])
    pipe.send("0.5,-0.25,1\n")
    #expect(pipe.line(within: 10_000) != nil)
    pipe.process.send(SIGINT)
    #expect(try pipe.process.wait() == 130)
  }
}

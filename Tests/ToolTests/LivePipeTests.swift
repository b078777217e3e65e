import Foundation
import Testing

@Suite struct `A live pipe` {
  /// A process whose standard input and output are pipes that stay open.
  final class Conversation {
    private let process: Process
    private let input = Pipe()
    private let output = Pipe()
    private var received = Data()

    init(_ process: Process) throws {
      self.process = process
      process.standardInput = input
      process.standardOutput = output
      try process.run()
    }

    deinit {
      process.terminate()
      process.waitUntilExit()
    }

    func send(_ text: String) throws {
      try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    }

    /// The next line, or `nil` when none has come in time.
    func line(within milliseconds: Int32) -> String? {
      while true {
        if let newline = received.firstIndex(of: UInt8(ascii: "\n")) {
          let line = String(decoding: received[..<newline], as: UTF8.self)
          received.removeSubrange(...newline)
          return line
        }
        let descriptor = output.fileHandleForReading.fileDescriptor
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard unsafe Foundation.poll(&poll, 1, milliseconds) == 1 else { return nil }
        let data = output.fileHandleForReading.availableData
        if data.isEmpty { return nil }
        received.append(data)
      }
    }

    func end() throws -> Int32 {
      try input.fileHandleForWriting.close()
      process.waitUntilExit()
      return process.terminationStatus
    }

    func closeOutput() throws { try output.fileHandleForReading.close() }
  }

  let folder = try! Folder()
  let model: String

  init() throws {
    model = folder.path("classifier.runnel")
    try Models.classifier().write(to: model)
  }

  @Test(arguments: ["csv", "jsonl"])
  func `each frame is answered before the next one is sent`(format: String) throws {
    let pipe = try Conversation(Tool.process(["run", model, "--output-format", format]))
    for frame in 1...20 {
      try pipe.send("0.5,-0.25,\(frame)\n")
      #expect(pipe.line(within: 10_000) != nil, "no answer to frame \(frame)")
    }
    #expect(try pipe.end() == 0)
  }

  @Test func `a reader that waits for the end would be noticed`() throws {
    let sort = Process()
    sort.executableURL = URL(filePath: "/usr/bin/sort")
    let pipe = try Conversation(sort)
    try pipe.send("0.5,-0.25,1\n")
    #expect(pipe.line(within: 500) == nil)
  }

  @Test func `a frame that comes in pieces is answered when it is whole`() throws {
    let pipe = try Conversation(Tool.process(["run", model]))
    try pipe.send("0.5,-0.")
    #expect(pipe.line(within: 300) == nil)
    try pipe.send("25,1\n")
    #expect(pipe.line(within: 10_000) != nil)
    #expect(try pipe.end() == 0)
  }

  @Test func `raw frames are answered one by one too`() throws {
    let pipe = try Conversation(Tool.process(["run", model, "--input-format", "f32"]))
    for _ in 0..<5 {
      try pipe.send(String(repeating: "\0", count: 12))
      #expect(pipe.line(within: 10_000) != nil)
    }
    #expect(try pipe.end() == 0)
  }

  @Test func `a reader that goes away ends the tool quietly`() throws {
    let process = Tool.process(["run", model])
    let errors = Pipe()
    process.standardError = errors
    let pipe = try Conversation(process)
    try pipe.send("0.5,-0.25,1\n")
    #expect(pipe.line(within: 10_000) != nil)
    try pipe.closeOutput()
    try pipe.send("0.5,-0.25,1\n")
    #expect(try pipe.end() == 0)
    #expect(process.terminationReason == .exit)
    #expect(errors.fileHandleForReading.availableData.isEmpty)
  }

  @Test func `ctrl-C ends with 130`() throws {
    let process = Tool.process(["run", model])
    let pipe = try Conversation(process)
    try pipe.send("0.5,-0.25,1\n")
    #expect(pipe.line(within: 10_000) != nil)
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationStatus == 130)
  }
}

import Glibc
import Runnel
import TestSupport
import Testing

@Suite struct ModelFileTests {
  let model = RandomModels.stack(.lstm, inputSize: 3, hiddenSize: 4, seed: 1)
  let folder = TemporaryFolder()

  @Test func `a model that is written to a file is read from it`() throws {
    let path = "\(folder.path)/model.runnel"
    try model.write(to: path)
    #expect(try ModelDescription(path: path) == model)
    #expect(folder.bytes(of: "model.runnel") == (try model.encoded()))
  }

  @Test func `an invalid model leaves the old file`() throws {
    let path = "\(folder.path)/model.runnel"
    try model.write(to: path)
    var invalid = model
    invalid.states[0].size = 0
    #expect(throws: ModelError.state(.size, state: 0)) { try invalid.write(to: path) }
    #expect(folder.names == ["model.runnel"])
    #expect(try ModelDescription(path: path) == model)
  }

  @Test func `a file that is missing is refused`() {
    #expect(throws: ModelError.file(errno: ENOENT)) {
      try ModelDescription(path: "\(folder.path)/missing")
    }
    #expect(throws: ModelError.file(errno: ENOENT)) { try ModelDescription(path: "") }
  }

  @Test func `a folder is refused`() {
    #expect(throws: ModelError.file(errno: EISDIR)) { try ModelDescription(path: folder.path) }
  }

  @Test func `a pipe that nobody writes to is refused at once`() {
    let path = "\(folder.path)/pipe"
    #expect(unsafe mkfifo(path, 0o600) == 0)
    #expect(throws: ModelError.file(errno: EINVAL)) { try ModelDescription(path: path) }
  }

  @Test func `a device is refused`() {
    #expect(throws: ModelError.file(errno: EINVAL)) { try ModelDescription(path: "/dev/zero") }
  }

  @Test func `a path with a zero byte is refused`() throws {
    try model.write(to: "\(folder.path)/model")
    #expect(throws: ModelError.file(errno: EINVAL)) {
      try ModelDescription(path: "\(folder.path)/model\0.runnel")
    }
  }

  @Test func `an empty file is refused as truncated`() throws {
    try AtomicFile.write([], to: "\(folder.path)/empty")
    #expect(throws: ModelError.format(.truncated, offset: 0)) {
      try ModelDescription(path: "\(folder.path)/empty")
    }
  }

  @Test func `a file beyond the limit is refused before it is read`() throws {
    // A sparse file takes no room on the disk.
    let path = "\(folder.path)/large"
    try AtomicFile.write([], to: path)
    #expect(unsafe truncate(path, 1 << 31 + 1) == 0)
    #expect(throws: ModelError.format(.fileTooLarge, offset: 1 << 31)) {
      try ModelDescription(path: path)
    }
  }
}

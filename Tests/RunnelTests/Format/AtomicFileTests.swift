import Glibc
import Runnel
import TestSupport
import Testing

@Suite struct AtomicFileTests {
  let folder = TemporaryFolder()

  @Test func `a new file has the bytes, and nothing stays beside it`() throws {
    try AtomicFile.write([1, 2, 3], to: "\(folder.path)/file")
    #expect(folder.bytes(of: "file") == [1, 2, 3])
    #expect(folder.names == ["file"])
  }

  @Test func `an old file is replaced by a shorter one`() throws {
    let path = "\(folder.path)/file"
    try AtomicFile.write([UInt8](repeating: 7, count: 100_000), to: path)
    try AtomicFile.write([1], to: path)
    #expect(folder.bytes(of: "file") == [1])
    #expect(folder.names == ["file"])
  }

  @Test func `whoever has the old file open keeps it`() throws {
    let path = "\(folder.path)/file"
    try AtomicFile.write([1, 2, 3], to: path)
    let descriptor = unsafe open(path, O_RDONLY)
    defer { close(descriptor) }
    try AtomicFile.write([4, 5, 6], to: path)
    var bytes = [UInt8](repeating: 0, count: 3)
    #expect(unsafe read(descriptor, &bytes, 3) == 3)
    #expect(bytes == [1, 2, 3])
  }

  @Test func `a new file has the permissions of new files`() throws {
    try AtomicFile.write([1], to: "\(folder.path)/file")
    let descriptor = unsafe open("\(folder.path)/twin", O_CREAT | O_WRONLY, 0o666)
    close(descriptor)
    var (status, twin) = (stat(), stat())
    #expect(unsafe stat("\(folder.path)/file", &status) == 0)
    #expect(unsafe stat("\(folder.path)/twin", &twin) == 0)
    #expect(status.st_mode == twin.st_mode)
  }

  @Test func `a missing folder is refused`() {
    #expect(throws: ModelError.file(errno: ENOENT)) {
      try AtomicFile.write([1], to: "\(folder.path)/missing/file")
    }
  }

  @Test func `a file in the place of a folder is refused`() throws {
    try AtomicFile.write([1], to: "\(folder.path)/file")
    #expect(throws: ModelError.file(errno: ENOTDIR)) {
      try AtomicFile.write([1], to: "\(folder.path)/file/file")
    }
    #expect(folder.bytes(of: "file") == [1])
  }

  @Test func `a folder is not replaced`() {
    for path in [folder.path, "\(folder.path)/", "/"] {
      #expect(throws: ModelError.file(errno: EISDIR)) { try AtomicFile.write([1], to: path) }
    }
    #expect(folder.names.isEmpty)
  }

  @Test func `a device is not replaced`() {
    for path in ["/dev/null", "/dev/full"] {
      #expect(throws: ModelError.file(errno: EINVAL)) { try AtomicFile.write([1], to: path) }
    }
  }

  @Test func `a path with a zero byte is refused`() {
    #expect(throws: ModelError.file(errno: EINVAL)) {
      try AtomicFile.write([1], to: "\(folder.path)/file\0.runnel")
    }
    #expect(folder.names.isEmpty)
  }

  @Test func `a name that is too long is refused, and nothing stays`() throws {
    let name = String(repeating: "x", count: 256)
    #expect(throws: ModelError.file(errno: ENAMETOOLONG)) {
      try AtomicFile.write([1], to: "\(folder.path)/\(name)")
    }
    #expect(folder.names.isEmpty)
    // The longest name that there can be is accepted: the temporary name does not build on it.
    let longest = String(repeating: "x", count: 255)
    try AtomicFile.write([1], to: "\(folder.path)/\(longest)")
    #expect(folder.names == [longest])
  }

  @Test func `a folder in which nobody can make files is refused`() {
    // The error is the kernel's choice.
    #expect(throws: ModelError.self) { try AtomicFile.write([1], to: "/proc/self/file") }
  }

  @Test func `a write that fails half-way leaves the old file and nothing else`() async {
    // In a process of its own, because the limit on the size of files is a process's.
    await #expect(processExitsWith: .success) {
      let folder = TemporaryFolder()
      let path = "\(folder.path)/file"
      try AtomicFile.write([1, 2, 3], to: path)
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 10_000, rlim_max: 1_000_000)
      precondition(unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
      #expect(throws: ModelError.file(errno: EFBIG)) {
        try AtomicFile.write([UInt8](repeating: 7, count: 10_001), to: path)
      }
      #expect(folder.names == ["file"])
      #expect(folder.bytes(of: "file") == [1, 2, 3])
      // The twin that fits is written.
      try AtomicFile.write([UInt8](repeating: 7, count: 10_000), to: path)
      #expect(folder.bytes(of: "file")?.count == 10_000)
    }
  }

  @Test func `many writers at once leave one whole file`() async throws {
    let path = "\(folder.path)/file"
    await withTaskGroup(of: Void.self) { group in
      for value: UInt8 in 0..<8 {
        group.addTask {
          for _ in 0..<10 {
            try! AtomicFile.write([UInt8](repeating: value, count: 10_000), to: path)
          }
        }
      }
    }
    let bytes = try #require(folder.bytes(of: "file"))
    #expect(bytes.count == 10_000 && Set(bytes).count == 1)
    #expect(folder.names == ["file"])
  }
}

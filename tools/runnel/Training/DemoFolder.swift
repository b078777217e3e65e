import Glibc
import RunnelTraining

/// Where the demo leaves its files: a folder of the user's, or one that goes away with this.
struct DemoFolder: ~Copyable {
  let path: String
  private let isTemporary: Bool

  /// Makes the folder where it is not there yet.
  init(_ path: String?) throws(FileError) {
    isTemporary = path == nil
    if let path {
      guard unsafe mkdir(path, 0o777) == 0 || errno == EEXIST else {
        throw FileError(.write, path, errno: errno)
      }
      self.path = path
      return
    }
    let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    let template = parent + "/runnel-demo-XXXXXX"
    var name = Array(template.utf8CString)
    guard unsafe mkdtemp(&name) != nil else { throw FileError(.write, template, errno: errno) }
    self.path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    guard isTemporary else { return }
    for name in ["vowels.runnel", "vowels.svg", "vowels.checkpoint"] {
      unsafe unlink(path + "/" + name)
    }
    unsafe rmdir(path)
  }
}

import Foundation

/// A new folder that is removed, with what is in it, when nobody refers to it any more.
package final class TemporaryFolder: Sendable {
  /// The path of the folder.
  package let path: String

  /// Makes a folder among the temporary files.
  package init() {
    path = FileManager.default.temporaryDirectory.appending(path: "runnel-\(UUID())").path
    try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The names of everything in the folder, hidden files as well, sorted.
  package var names: [String] {
    try! FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }

  /// The bytes of a file of the folder; `nil` if there is none.
  package func bytes(of name: String) -> [UInt8]? {
    FileManager.default.contents(atPath: "\(path)/\(name)").map([UInt8].init)
  }

  /// The path of a file of the folder.
  package func file(_ name: String) -> String { path + "/" + name }

  /// The text of a file of the folder; empty if there is none.
  package func text(_ name: String) -> String {
    String(decoding: bytes(of: name) ?? [], as: UTF8.self)
  }

  /// Writes a file, and gives its path.
  @discardableResult
  package func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(filePath: file(name)))
    return file(name)
  }

  @discardableResult
  package func write(_ name: String, _ text: String) throws -> String {
    try write(name, Array(text.utf8))
  }
}

#if canImport(Glibc)
  import Glibc

  /// Replaces files so that a reader, a crash or a power cut meets the old file or the new one,
  /// and never a part of one.
  ///
  /// The bytes go to a temporary file in the same folder, which is synced, renamed over the path,
  /// and made durable by syncing the folder.
  package enum AtomicFile {
    /// Writes `bytes` to `path`, replacing a file that is there.
    ///
    /// A symbolic link is replaced, not followed. A new file gets the permissions that the process
    /// gives to new files.
    ///
    /// - Throws: ``ModelError/file(errno:)``. The temporary file is then gone and the old file is
    ///   as it was, unless the very last step failed, the sync of the folder: then the new file is
    ///   in place, but a power cut may still bring back the old one.
    package static func write(_ bytes: [UInt8], to path: String) throws(ModelError) {
      let (folderPath, name) = try split(path)
      try refuseSpecialFile(path)
      // Opened before anything is written, so that no descriptor can be lacking at the end.
      let folder = unsafe open(folderPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      guard folder >= 0 else { throw .file(errno: errno) }
      defer { close(folder) }

      let temporary = try createTemporaryFile(in: folder)
      do throws(ModelError) {
        try fill(temporary.descriptor, with: bytes)
        guard unsafe renameat(folder, temporary.name, folder, name) == 0 else {
          throw .file(errno: errno)
        }
      } catch {
        unsafe unlinkat(folder, temporary.name, 0)
        throw error
      }
      // Some file systems cannot sync a folder and say EINVAL; their renames are what they are.
      guard retrying({ fsync(folder) }) == 0 || errno == EINVAL else {
        throw .file(errno: errno)
      }
    }

    /// The folder that `path` is in, and the name that it has there.
    private static func split(_ path: String) throws(ModelError) -> (folder: String, name: String) {
      // C would end the path at a zero byte, and the file would be another one.
      guard !path.utf8.contains(0) else { throw .file(errno: EINVAL) }
      let utf8 = path.utf8
      guard let slash = utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
      let name = path[utf8.index(after: slash)...]
      guard !name.isEmpty else { throw .file(errno: EISDIR) }
      return (slash == utf8.startIndex ? "/" : String(path[..<slash]), String(name))
    }

    /// Refuses folders, and devices and pipes, which a rename would replace by a plain file.
    private static func refuseSpecialFile(_ path: String) throws(ModelError) {
      var status = stat()
      guard unsafe stat(path, &status) == 0 else { return }
      let kind = status.st_mode & S_IFMT
      guard kind != S_IFDIR else { throw .file(errno: EISDIR) }
      guard kind == S_IFREG else { throw .file(errno: EINVAL) }
    }

    /// Creates an empty file in `folder`, under a name that nothing has.
    private static func createTemporaryFile(
      in folder: Int32
    ) throws(ModelError) -> (descriptor: Int32, name: String) {
      while true {
        let name = ".runnel-" + String(UInt64.random(in: .min ... .max), radix: 36) + ".tmp"
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC
        let descriptor = unsafe openat(folder, name, flags, 0o666)
        if descriptor >= 0 { return (descriptor, name) }
        guard errno == EEXIST || errno == EINTR else { throw .file(errno: errno) }
      }
    }

    /// Writes all bytes, makes them durable and closes the file, whatever happens.
    private static func fill(_ descriptor: Int32, with bytes: [UInt8]) throws(ModelError) {
      var failure: Int32 = 0
      unsafe bytes.withUnsafeBytes { buffer in
        var written = 0
        while failure == 0, written < buffer.count {
          // SAFETY: The rest of the buffer, which outlives the call.
          let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[written...])
          let count = unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
          if count >= 0 {
            written += count
          } else if errno != EINTR {
            failure = errno
          }
        }
      }
      if failure == 0, retrying({ fsync(descriptor) }) != 0 { failure = errno }
      // Not retried: after EINTR Linux has closed the descriptor all the same.
      if close(descriptor) != 0, errno != EINTR, failure == 0 { failure = errno }
      guard failure == 0 else { throw .file(errno: failure) }
    }

    /// Calls until the call is not interrupted by a signal.
    private static func retrying(_ call: () -> Int32) -> Int32 {
      while true {
        let result = call()
        if result == 0 || errno != EINTR { return result }
      }
    }
  }
#endif

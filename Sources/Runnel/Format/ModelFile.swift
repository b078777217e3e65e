#if canImport(Glibc)
  import Glibc

  extension ModelDescription {
    /// Reads a description from a `.runnel` file, and validates it.
    ///
    /// The file is read into memory, not mapped: a file that is cut under a mapping would end the
    /// process.
    ///
    /// - Parameter path: The path of a regular file.
    /// - Throws: ``ModelError/file(errno:)`` if it cannot be read (`EISDIR` for a folder, `EINVAL`
    ///   for a pipe or a device), and whatever ``init(decoding:)`` throws.
    public init(path: String) throws(ModelError) {
      let bytes = try ModelFile.read(path)
      try self.init(decoding: bytes.span)
    }

    /// Validates the description and writes it to a `.runnel` file, replacing one that is there.
    ///
    /// Whatever happens, even if the machine stops, the path names the old file or the new one,
    /// whole. A symbolic link is replaced, not followed.
    ///
    /// - Throws: ``ModelError/file(errno:)`` if the file cannot be written, and whatever
    ///   ``encoded()`` throws.
    public func write(to path: String) throws(ModelError) {
      try AtomicFile.write(encoded(), to: path)
    }
  }

  /// Reading of whole files.
  package enum ModelFile {
    /// The bytes of a regular file of at most ``FormatLimits/fileBytes`` bytes.
    package static func read(_ path: String) throws(ModelError) -> [UInt8] {
      // C would end the path at a zero byte, and the file would be another one.
      guard !path.utf8.contains(0) else { throw .file(errno: EINVAL) }
      // Not blocking, so that a pipe without a writer does not hold us up before it is refused.
      let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
      guard descriptor >= 0 else { throw .file(errno: errno) }
      defer { close(descriptor) }

      var status = stat()
      guard unsafe fstat(descriptor, &status) == 0 else { throw .file(errno: errno) }
      let kind = status.st_mode & S_IFMT
      guard kind != S_IFDIR else { throw .file(errno: EISDIR) }
      guard kind == S_IFREG else { throw .file(errno: EINVAL) }
      guard status.st_size <= FormatLimits.fileBytes else {
        throw .format(.fileTooLarge, offset: FormatLimits.fileBytes)
      }
      return try read(descriptor, size: Int(status.st_size))
    }

    /// Reads up to `size` bytes: fewer, if the file was cut in the meantime, which its header tells.
    private static func read(_ descriptor: Int32, size: Int) throws(ModelError) -> [UInt8] {
      var failure: Int32 = 0
      let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        while count < size {
          // SAFETY: The rest of the buffer, which is not read before it is initialised.
          let rest = unsafe UnsafeMutableBufferPointer(rebasing: buffer[count...])
          let result = unsafe Glibc.read(descriptor, rest.baseAddress, rest.count)
          if result == 0 { return }
          if result > 0 {
            count += result
          } else if errno != EINTR {
            failure = errno
            return
          }
        }
      }
      guard failure == 0 else { throw .file(errno: failure) }
      return bytes
    }
  }
#endif

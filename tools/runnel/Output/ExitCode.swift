/// How the process ends, as `sysexits.h` counts.
enum ExitCode: Int32 {
  case success = 0
  /// The answer is no: golden frames deviate, a step allocates, training diverges.
  case failure = 1
  /// The command line does not mean anything (`EX_USAGE`).
  case usage = 64
  /// A model, recipe or data file is wrong (`EX_DATAERR`).
  case data = 65
  /// A file cannot be read (`EX_NOINPUT`).
  case noInput = 66
  /// The machine lacks something (`EX_UNAVAILABLE`).
  case unavailable = 69
  /// A file cannot be written (`EX_CANTCREAT`).
  case cannotCreate = 73
  /// Results cannot be written (`EX_IOERR`).
  case inputOutput = 74
  /// Ctrl-C.
  case interrupted = 130
  /// SIGTERM.
  case terminated = 143
}

/// An error that ends the process with a message and a code.
struct Failure: Error {
  let code: ExitCode
  let message: String

  init(_ code: ExitCode, _ message: String) {
    self.code = code
    self.message = message
  }
}

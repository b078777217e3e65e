import Glibc
import Runnel

/// A service that embeds Runnel: it loads a model and answers streams of frames over a Unix socket.
///
/// What goes over the socket stands in `Wire.swift`. The service leaves out what belongs to a
/// product: configuration, logging, metrics. Who may connect is a matter of the folder that the
/// socket is in.
@main
enum RunnelService {
  static func main() {
    // A client or log that went away is an error of the call that writes to it.
    signal(SIGPIPE, SIG_IGN)
    do throws(Failure) {
      try serve(Arguments(CommandLine.arguments.dropFirst()))
    } catch {
      report(error.sentence)
      exit(error.exitCode)
    }
  }

  private static func serve(_ arguments: Arguments) throws(Failure) {
    let model = try load(arguments.model)
    let stop = try StopSignal()
    let listener = try Listener(path: arguments.socket)
    defer { listener.close() }
    var service = Service(
      model: model, listener: listener, stop: stop, limit: arguments.connections,
      patience: .seconds(arguments.patience))
    report("listening on \(arguments.socket)")
    let counts = try service.run()
    report(
      """
      stopped after \(counts.connections) connections and \(counts.frames) frames: \
      \(counts.badFrames) bad frames, \(counts.refused) connections refused, \
      \(counts.lost) clients lost
      """)
  }

  private static func load(_ path: String) throws(Failure) -> Model {
    let model = try checkedModel(path)
    guard !model.programs[0].needsWholeSequence else {
      throw Failure(
        EX_DATAERR, "\(path): runs over whole sequences; expected a model that steps through frames"
      )
    }
    return model
  }

  private static func checkedModel(_ path: String) throws(Failure) -> Model {
    do {
      // The golden frames show in milliseconds that the model predicts here what it shall.
      return try Model(path: path, options: ModelOptions(verifiesGolden: true))
    } catch .file(let errno) {
      throw Failure(EX_NOINPUT, "\(path): \(systemText(errno))")
    } catch .format(let fault, let offset) {
      throw Failure(EX_DATAERR, "\(path): not a valid model: \(fault) at byte \(offset)")
    } catch .deviation(let deviation, let tolerance) {
      throw Failure(
        EX_DATAERR, "\(path): the golden frames deviate by \(deviation), more than \(tolerance)")
    } catch {
      throw Failure(EX_DATAERR, "\(path): not a valid model: \(error)")
    }
  }

  private static func report(_ sentence: String) {
    var line = "runnel-service: \(sentence)\n"
    line.withUTF8 { bytes in _ = unsafe write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
  }
}

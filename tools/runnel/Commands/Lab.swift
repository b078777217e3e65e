import Glibc
import RunnelLab
import RunnelTraining

/// `runnel lab`: what recurrent cells can and cannot learn, measured.
enum Lab: Command {
  static let names = ["adding", "copying", "gradients", "clipping", "truncation"]

  static let syntax = CommandSyntax(
    name: "lab",
    summary: "Sets RNN, LSTM and GRU side by side: lags, gradients, clipping, truncation.",
    operands: [
      .init(
        name: "EXPERIMENT", isOptional: true, isRepeated: true,
        help: names.joined(separator: ", ") + " (default: all)")
    ],
    details: """
      Trains small networks on tasks whose lags are known, on data that are made from seeds,
      and writes each experiment as CSV, a row for each measurement, and as SVG.

      adding      The sum of two marked numbers, in ever longer sequences: the mean squared
                  error on other sequences, of the three cells with as many parameters.
      copying     Ten symbols, to be recalled after a lag: the share that is.
      gradients   The norm of the loss's gradient by the state of earlier frames: of each
                  cell before and after training, and of a vanilla RNN by the spectral
                  radius of its recurrent weights.
      clipping    A ReLU RNN with steps that are too long, with and without a limit for the
                  norm of gradients: errors, norms, and how many runs diverge.
      truncation  A bit to be recalled after a lag, learnt with windows that are shorter
                  and longer than it: the share that is, and the time of an epoch.

      Ctrl-C leaves the files of the experiments that are done. The same options give the
      same files, times apart, with any number of threads.
      """,
    examples: [
      "runnel lab --output lab",
      "runnel lab adding gradients --output lab --seeds 5",
      "runnel lab --output /tmp/lab --quick",
    ],
    options: [
      .init(
        name: "output", value: "FOLDER", help: "Where files are written; made if it is missing"),
      .init(name: "seeds", value: "N", help: "How often each run is repeated (default: 3)"),
      .init(name: "quick", help: "Small sizes: all steps in seconds, too short to learn much"),
      .init(
        name: "threads", value: "N", help: "Runs at the same time (default: one a processor)"),
      .init(name: "quiet", help: "No progress, only the results."),
    ])

  static func run(_ arguments: Arguments) throws {
    let quick = arguments.has("quick")
    let seeds = try arguments.int("seeds", in: 1...100) ?? (quick ? 1 : 3)
    let threads =
      try arguments.int("threads", in: 1...256) ?? max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    let experiments = try selection(arguments, quick ? .quick : .full, seeds: seeds)
    guard let folder = arguments.string("output"), !folder.isEmpty else {
      throw arguments.error("--output FOLDER is missing: where the files are written")
    }
    let files = try outputs(of: experiments, in: folder)
    Interruption.begin()
    defer { Interruption.end() }
    let progress = LabProgress(experiments, isQuiet: arguments.has("quiet"))
    for (experiment, file) in zip(experiments, files) {
      let report = try outcome(of: experiment, threads: threads, progress)
      try file.csv.write(Array(report.csv.utf8))
      try file.svg.write(Array(report.plot.svg.utf8))
      progress.finish(experiment)
      try printResult("\(report.findings)\n  \(file.csv.path), \(file.svg.path)\n")
    }
  }

  /// The experiments that are asked for, each once, in the order of the help.
  private static func selection(
    _ arguments: Arguments, _ scale: LabScale, seeds: Int
  ) throws -> [LabExperiment] {
    let all = LabExperiment.all(scale, seeds: seeds)
    for name in arguments.operands where !names.contains(name) {
      throw arguments.error(
        "unknown experiment '\(name)'; there are " + names.joined(separator: ", "))
    }
    guard !arguments.operands.isEmpty else { return all }
    return all.filter { arguments.operands.contains($0.name) }
  }

  /// The files of the experiments, in a folder that is made where it is missing.
  private static func outputs(
    of experiments: [LabExperiment], in folder: String
  ) throws -> [(csv: OutputFile, svg: OutputFile)] {
    guard unsafe mkdir(folder, 0o777) == 0 || errno == EEXIST else {
      throw FileError(.write, folder, errno: errno)
    }
    return try experiments.map { experiment in
      let path = folder + (folder.hasSuffix("/") ? "" : "/") + experiment.name
      return (try OutputFile(path + ".csv"), try OutputFile(path + ".svg"))
    }
  }

  private static func outcome(
    of experiment: LabExperiment, threads: Int, _ progress: LabProgress
  ) throws -> LabReport {
    do {
      return try experiment.run(threads) { done, cases in
        progress.show(experiment, done: done, cases: cases)
        return Interruption.isRequested ? .stop : .proceed
      }
    } catch .stopped {
      throw Failure(
        Interruption.exitCode,
        "interrupted in '\(experiment.name)', of which nothing was written; files of experiments "
          + "before it are whole")
    } catch {
      throw Failure(.failure, "the experiment '\(experiment.name)' failed: \(error)")
    }
  }
}

package import RunnelTraining

/// Some cases, each computed by itself, whose outcomes are looked at together.
package protocol Experiment: Sendable {
  associatedtype Case: Sendable
  associatedtype Outcome: Sendable

  /// What is computed.
  var cases: [Case] { get }

  /// How much work a case is, in any unit that all experiments share: parameters × frames.
  func cost(of one: Case) -> Double

  /// Computes a case, on one thread; the same case gives the same outcome, times apart.
  ///
  /// - Parameter report: Is told now and then how much of the case is done, from 0 to 1, and says
  ///   whether to go on.
  /// - Throws: ``TrainingError/stopped(epoch:minibatch:)`` if `report` says so.
  func outcome(
    of one: Case, report: (Double) -> TrainingDirection
  ) throws(TrainingError) -> Outcome
}

/// How large experiments are.
package enum LabScale: Sendable {
  /// As in the documentation: minutes.
  case full
  /// The same steps in seconds, too short to learn what takes long.
  case quick
}

/// The mean loss and the metric of parameters on a set of sequences.
///
/// Sequences of like length run together, in fixed groups, each over windows that carry the states;
/// so memory stays bounded, and the result does not depend on the number of threads.
struct Evaluator {
  private let shards: [Shard]
  private let groups: [[Shard.Visit]]
  private let loss: Loss
  private let team: ThreadTeam

  /// How many sequences run together.
  private static let groupSize = 16
  /// How many frames are computed at a time.
  private static let windowSize = 256

  init(
    _ network: Network, _ specification: NetworkSpecification, _ normalisations: [Normalisation?],
    _ sequences: [TrainingSequence], _ team: ThreadTeam
  ) {
    let order = sequences.indices.sorted {
      (sequences[$0].length, $1) > (sequences[$1].length, $0)
    }
    groups = stride(from: 0, to: order.count, by: Self.groupSize).map { start in
      order[start...].prefix(Self.groupSize).map {
        Shard.Visit(sequence: $0, frames: 0..<sequences[$0].length)
      }
    }
    shards = (0..<min(team.size, groups.count)).map { _ in
      Shard(network, specification, normalisations, sequences)
    }
    loss = specification.loss
    self.team = team
  }

  func evaluate(_ parameters: [Float]) -> Evaluation {
    var scores = [Score](repeating: Score(), count: groups.count)
    unsafe scores.withUnsafeMutableBufferPointer { scores in
      unsafe parameters.withUnsafeBufferPointer { parameters in
        // SAFETY: Each call has a shard of its own, and writes the scores of its own groups.
        let scores = scores.baseAddress!
        let parameters = parameters.baseAddress!
        team.run(shards.count) { worker in
          for group in stride(from: worker, to: groups.count, by: shards.count) {
            unsafe scores[group] = score(groups[group], shards[worker], parameters)
          }
        }
      }
    }
    return scores.reduce(into: Score(), +=).evaluation(of: loss)
  }

  private func score(
    _ visits: [Shard.Visit], _ shard: Shard, _ parameters: UnsafePointer<Float>
  ) -> Score {
    var score = Score()
    shard.start(visits)
    for start in stride(from: 0, to: shard.length, by: Self.windowSize) {
      _ = shard.load(from: start, frames: Self.windowSize)
      unsafe shard.forward(parameters: parameters)
      score += shard.score()
    }
    return score
  }
}

/// Sets a share of the sequences aside for validation.
///
/// Of sequences of one class each, the same share of each class (stratified). Which ones is
/// determined by the seed; both sets keep their order. At least one sequence is set aside.
func validationSplit(
  of sequences: [TrainingSequence], fraction: Float, seed: UInt64
) -> (training: [TrainingSequence], validation: [TrainingSequence]) {
  guard fraction > 0 else { return (sequences, []) }
  let isStratified = sequences.allSatisfy { $0.onlyClass != nil }
  var groups: [Int: [Int]] = [:]
  for (index, sequence) in sequences.enumerated() {
    groups[isStratified ? sequence.onlyClass! : -1, default: []].append(index)
  }
  var random = RandomGenerator(seed: seed, purpose: .split)
  var chosen: Set<Int> = []
  for group in groups.sorted(by: { $0.key < $1.key }) {
    let share = (Float(group.value.count) * fraction).rounded()
    chosen.formUnion(group.value.shuffled(using: &random).prefix(Int(share)))
  }
  if chosen.isEmpty { chosen.insert(random.index(below: sequences.count)) }
  return (
    sequences.indices.filter { !chosen.contains($0) }.map { sequences[$0] },
    sequences.indices.filter { chosen.contains($0) }.map { sequences[$0] }
  )
}

extension TrainingSequence {
  /// The class of the last frame, where no other frame has another one.
  fileprivate var onlyClass: Int? {
    switch targets {
    case .classAtLast(let target): target
    case .classPerFrame(let targets): targets.allSatisfy { $0 == targets[0] } ? targets[0] : nil
    case .valuesAtLast, .valuesPerFrame: nil
    }
  }
}

/// Elements of a `gather` that stand side by side where they come from and where they go to.
struct GatherRun {
  /// The number of the first element; -1 for zeros.
  let source: Int
  let target: Int
  var count: Int

  /// The runs of a gather of elements with these numbers, where copying them one after the other
  /// takes less time than picking each element.
  static func runs(_ numbers: [Float]) -> [GatherRun]? {
    var runs: [GatherRun] = []
    for (target, number) in numbers.enumerated() {
      let source = Int(number)
      if let last = runs.last, source == (last.source < 0 ? -1 : last.source + last.count),
        source < 0 || last.source >= 0
      {
        runs[runs.count - 1].count += 1
      } else {
        runs.append(GatherRun(source: source, target: target, count: 1))
      }
    }
    return runs.count <= 1 + numbers.count / 32 ? runs : nil
  }
}

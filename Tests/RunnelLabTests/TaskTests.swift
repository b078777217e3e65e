import RunnelLab
import RunnelTraining
import Testing

@Suite struct TaskTests {
  /// The element at a place of each frame.
  private func element(_ index: Int, of sequence: TrainingSequence, width: Int) -> [Float] {
    (0..<sequence.length).map { sequence.inputs[$0 * width + index] }
  }

  @Test(arguments: [2, 10, 101])
  func `The adding problem asks for the sum of a number in each half`(length: Int) throws {
    for sequence in AddingProblem(length: length).sequences(50, seed: 3, split: .training) {
      let marks = element(1, of: sequence, width: 2)
      let marked = marks.indices.filter { marks[$0] == 1 }
      #expect(marked.count == 2)
      #expect(marked[0] < length / 2 && marked[1] >= length / 2)
      #expect(marks.count { $0 == 0 } == length - 2)
      let values = element(0, of: sequence, width: 2)
      #expect(values.allSatisfy { 0..<1 ~= $0 })
      #expect(sequence.targets == .valuesAtLast([values[marked[0]] + values[marked[1]]]))
    }
  }

  @Test func `Guessing the adding problem costs a sixth`() throws {
    let errors = AddingProblem(length: 4).sequences(20_000, seed: 1, split: .training).map {
      guard case .valuesAtLast(let sum) = $0.targets else { return Double.nan }
      return Double((sum[0] - 1) * (sum[0] - 1))
    }
    // The deviation of a squared error is √(7/180), so that of their mean is 0.0014.
    #expect(abs(errors.reduce(0, +) / 20_000 - AddingProblem.errorOfGuessing) < 5 * 0.0014)
  }

  @Test(arguments: [1, 7])
  func `The copy task asks for the symbols, in order, a lag after the last`(lag: Int) throws {
    let task = CopyTask(symbolCount: 4, lag: lag)
    for sequence in task.sequences(20, seed: 3, split: .test) {
      let shown = (0..<sequence.length).map { frame in
        sequence.inputs[(10 * frame)..<(10 * frame + 10)].firstIndex(of: 1)! - 10 * frame
      }
      #expect(sequence.inputs.reduce(0, +) == Float(sequence.length))
      #expect(shown[..<4].allSatisfy { $0 < 8 })
      #expect(shown[4...].enumerated().allSatisfy { $1 == ($0 == lag - 1 ? 9 : 8) })
      guard case .classPerFrame(let classes) = sequence.targets else {
        Issue.record("classes are asked for")
        continue
      }
      #expect(classes[(4 + lag)...].elementsEqual(shown[..<4]))
      #expect(sequence.frameWeights == Array(repeating: 0, count: 4 + lag) + [1, 1, 1, 1])
    }
  }

  @Test(arguments: [1, 5])
  func `The recall task asks for each bit once, a lag after it was shown`(lag: Int) throws {
    for sequence in RecallTask(lag: lag, length: 60).sequences(20, seed: 3, split: .training) {
      let bits = element(0, of: sequence, width: 2)
      let asks = element(1, of: sequence, width: 2)
      let shown = bits.indices.filter { bits[$0] != 0 }
      let asked = asks.indices.filter { asks[$0] == 1 }
      #expect(asked == shown.map { $0 + lag })
      #expect(zip(asked, shown.dropFirst()).allSatisfy(<))
      #expect(asked.count >= 1)
      guard case .valuesPerFrame(let targets) = sequence.targets else {
        Issue.record("values are asked for")
        continue
      }
      #expect(shown.allSatisfy { targets[$0 + lag] == (bits[$0] > 0 ? 1 : 0) })
      #expect(sequence.frameWeights == asks)
    }
  }

  @Test func `A seed and a split determine the sequences`() throws {
    let task = AddingProblem(length: 6)
    let sequences = task.sequences(10, seed: 1, split: .training)
    #expect(task.sequences(12, seed: 1, split: .training).prefix(10) == sequences[...])
    #expect(task.sequences(10, seed: 2, split: .training) != sequences)
    #expect(task.sequences(10, seed: 1, split: .test) != sequences)
  }
}

@Suite struct CellTests {
  @Test(arguments: Cell.allCases, [(1_850, 2), (5_500, 10), (40, 3)])
  func `The hidden size is the largest that keeps to the parameters`(
    cell: Cell, limit: (parameters: Int, inputSize: Int)
  ) throws {
    func count(_ hidden: Int) throws -> Int {
      try Network(
        NetworkSpecification(
          input: .vector(size: limit.inputSize), layers: [cell.layer(hidden: hidden)],
          loss: .meanSquaredError)
      ).parameterCount
    }
    let hidden = cell.hiddenSize(parameters: limit.parameters, inputSize: limit.inputSize)
    #expect(try count(hidden) <= limit.parameters)
    #expect(try count(hidden + 1) > limit.parameters)
  }
}

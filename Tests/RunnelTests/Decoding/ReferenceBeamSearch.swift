import Foundation
import Runnel

/// Beam search with arrays, which steps a session through each beam's tokens from the start.
struct ReferenceBeamSearch {
  struct Found: Equatable {
    var tokens: [Int]
    var score: Double
    var hasEnded: Bool
  }

  let model: Model
  var program = 0
  /// Frames of the first program that come before the first token.
  var prefix: [[Float]] = []
  let first: Int
  let width: Int
  let maximumLength: Int
  let lengthPenalty: Double
  let end: Int?
  var stopsEarly = true
  /// Whether a beam has its parent's states, as it should, or those of the beam that was in its place.
  var passesStates = true

  private struct Beam {
    var tokens: [Int] = []
    /// What the states have seen.
    var history: [Int] = []
    var logProbability = 0.0
  }

  func score(_ logProbability: Double, _ length: Int) -> Double {
    logProbability / pow((5 + Double(length)) / 6, lengthPenalty)
  }

  /// The probabilities behind the first token and these.
  func probabilities(behind tokens: [Int]) throws -> [Float] {
    var session = Session(model)
    for frame in prefix { _ = try session.step(frame) }
    var last: [Float] = []
    for token in [first] + tokens {
      let port = model.programs[program].inputs[0]
      let frame: [Float] =
        port.indexLimit == nil ? port.range.map { $0 == token ? 1 : 0 } : [Float(token)]
      last = try session.step(frame, program: program)
    }
    return last
  }

  /// The best sequences, the best first.
  func search() throws -> [Found] {
    var beams = [Beam()]
    var found: [Found] = []
    func add(_ new: Found) {
      let place = found.firstIndex { $0.score < new.score } ?? found.count
      found.insert(new, at: place)
      found = Array(found.prefix(width))
    }
    for length in 1...maximumLength {
      var candidates: [(beam: Int, token: Int, logProbability: Double)] = []
      for (index, beam) in beams.enumerated() {
        for (token, probability) in try probabilities(behind: beam.history).enumerated() {
          candidates.append((index, token, beam.logProbability + log(Double(probability))))
        }
      }
      candidates.sort {
        ($1.logProbability, $0.beam, $0.token) < ($0.logProbability, $1.beam, $1.token)
      }
      for candidate in candidates.prefix(width) where candidate.token == end {
        add(
          Found(
            tokens: beams[candidate.beam].tokens,
            score: score(candidate.logProbability, length), hasEnded: true))
      }
      let next = candidates.filter { $0.token != end }.prefix(width)
      beams = next.enumerated().map { place, candidate in
        let parent = beams[candidate.beam]
        let states = passesStates ? parent : beams[min(place, beams.count - 1)]
        return Beam(
          tokens: parent.tokens + [candidate.token], history: states.history + [candidate.token],
          logProbability: candidate.logProbability)
      }
      if length == maximumLength {
        for beam in beams {
          add(
            Found(
              tokens: beam.tokens, score: score(beam.logProbability, length), hasEnded: false))
        }
      } else if stopsEarly, let best = found.first,
        best.score >= score(beams[0].logProbability, maximumLength)
      {
        break
      }
    }
    return found
  }

  /// All complete sequences, the best first.
  func enumerateAll() throws -> [Found] {
    var found: [Found] = []
    var open = [Beam()]
    for length in 1...maximumLength {
      var next: [Beam] = []
      for beam in open {
        for (token, probability) in try probabilities(behind: beam.tokens).enumerated() {
          let logProbability = beam.logProbability + log(Double(probability))
          let tokens = beam.tokens + [token]
          if token == end {
            found.append(
              Found(
                tokens: beam.tokens, score: score(logProbability, length), hasEnded: true))
          } else if length == maximumLength {
            found.append(
              Found(tokens: tokens, score: score(logProbability, length), hasEnded: false))
          } else {
            next.append(Beam(tokens: tokens, logProbability: logProbability))
          }
        }
      }
      open = next
    }
    return found.sorted { $0.score > $1.score }
  }
}

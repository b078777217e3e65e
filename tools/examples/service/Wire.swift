import Runnel

/// What goes over the socket.
///
/// All numbers have 32 bits and are little-endian.
///
///     service to client, once        "RUNNEL/1", u32 status, u32 frameSize, u32 predictionSize
///     client to service, each frame  f32 × frameSize
///     service to client, each frame  u32 status, u32 index, f32 × predictionSize
///
/// The status of the hello is 0, or 1 if the service has its hands full: it then closes.
///
/// Each frame gets one reply, in order; frames may be sent before earlier replies have come. The
/// status of a reply is 0 for a prediction, and 4 where the model gives none for this frame, as some
/// answer only every few of them. Otherwise the frame was bad, and the stream is as it was before it.
/// Without a prediction there are zeros in its place.
///
///     1  the number at `index` of the frame is infinite or not a number
///     2  the number at `index` of the frame is not one of the whole numbers that it may be
///     3  the prediction was beyond what 32 bits can hold
///
/// A connection is a stream: its state starts with the connection and ends with it. A client that
/// has sent its last frame may shut down its side and read the rest of the replies. Frames go
/// through the model's first program; most models have no other.
enum Wire {
  static let helloWords = 5
  static let replyHeaderWords = 2

  /// The status of a frame for which the model gives no prediction.
  static let unanswered: UInt32 = 4

  /// Whether a client is welcome.
  enum Welcome: UInt32 {
    case welcome = 0
    case full = 1
  }

  /// The hello to a client.
  static func hello(_ welcome: Welcome, _ model: Model) -> [UInt32] {
    // The first two words are "RUNN" and "EL/1".
    [
      0x4E4E_5552, 0x312F_4C45, welcome.rawValue, UInt32(model.frameSize),
      UInt32(model.predictionSize),
    ]
  }

  /// The status and index that stand for an error of a step.
  static func header(_ error: StepError) -> (status: UInt32, index: UInt32) {
    switch error {
    case .nonFiniteInput(let index): (1, UInt32(index))
    case .indexOutOfRange(let index): (2, UInt32(index))
    case .nonFiniteResult: (3, 0)
    case .frameSize, .predictionSize, .noSuchProgram, .needsWholeSequence:
      fatalError("the program, the sizes of the buffers and the session are the model's own")
    }
  }
}

#if _endian(big)
  #error("Frames and predictions are copied as they are: this needs a little-endian machine.")
#endif

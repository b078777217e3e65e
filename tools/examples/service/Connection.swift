import Glibc
import Runnel

/// One client: its socket, its session, and buffers of a fixed size.
///
/// A connection receives while it has nothing to send and sends while it has: a client that does
/// not read its replies is not read from either, and holds no more memory than any other. All
/// memory is allocated here and now; a frame allocates nothing.
final class Connection {
  /// What became of the client.
  enum Ending {
    /// It said goodbye, and has all replies.
    case finished
    /// It vanished within a frame or before it had its replies, or did not read them.
    case lost
  }

  let descriptor: Int32
  /// How the connection ended; `nil` while it goes on.
  private(set) var ending: Ending?
  /// When the client last took a reply, if more are waiting.
  private(set) var waitingSince: ContinuousClock.Instant?

  private var session: Session
  private let frameSize: Int
  /// Received frames, shape `[batch, frameSize]`.
  private var frames: [Float]
  /// How many bytes of `frames` have been received.
  private var received = 0
  private var prediction: [Float]
  /// The hello, or replies, shape `[batch, 2 + predictionSize]`.
  private var replies: [UInt32]
  /// Which bytes of `replies` have still to be sent.
  private var unsent: Range<Int>
  private var inputEnded = false

  /// Starts a stream.
  ///
  /// - Parameter descriptor: The client's socket, which the connection closes in the end.
  init(_ descriptor: Int32, _ model: Model, now: ContinuousClock.Instant) {
    self.descriptor = descriptor
    session = Session(model)
    frameSize = model.frameSize
    let replyWords = Wire.replyHeaderWords + model.predictionSize
    // A turn takes what a client has sent up to here, then other clients have theirs.
    let batch = min(max(1, 4_096 / max(frameSize, replyWords)), 64)
    frames = [Float](repeating: 0, count: batch * frameSize)
    prediction = [Float](repeating: 0, count: model.predictionSize)
    replies = Wire.hello(.welcome, model)
    unsent = 0..<4 * replies.count
    replies += [UInt32](repeating: 0, count: max(0, batch * replyWords - replies.count))
    waitingSince = now
  }

  deinit { close(descriptor) }

  /// What `poll` shall wait for.
  var events: Int32 { unsent.isEmpty ? POLLIN : POLLOUT }

  /// Receives, answers and sends as much as is possible without waiting.
  func serve(_ counts: inout Counts, now: ContinuousClock.Instant) {
    if unsent.isEmpty {
      receive()
      answer(&counts)
      waitingSince = unsent.isEmpty ? nil : now
    }
    if ending == nil, !unsent.isEmpty { send(now) }
    if ending == nil, inputEnded, unsent.isEmpty { ending = received == 0 ? .finished : .lost }
  }

  /// Takes no more frames than those that the system has received by now.
  func endInput() { shutdown(descriptor, Int32(SHUT_RD)) }

  /// Gives the client up.
  func drop() { ending = .lost }

  private func receive() {
    let count = unsafe frames.withUnsafeMutableBytes { frames in
      // SAFETY: `received` is less than a frame here, and `frames` has room for at least one.
      unsafe recv(
        descriptor, frames.baseAddress! + received, frames.count - received,
        Int32(MSG_DONTWAIT))
    }
    if count > 0 {
      received += count
    } else if count == 0 {
      inputEnded = true
    } else if !isTemporary(errno) {
      ending = .lost
    }
  }

  /// Steps through the whole frames that are there, and keeps what there is of the next one.
  private func answer(_ counts: inout Counts) {
    let frameBytes = 4 * frameSize
    let count = received / frameBytes
    guard count > 0 else { return }
    for index in 0..<count {
      answer(frame: index, &counts)
    }
    received -= count * frameBytes
    unsafe frames.withUnsafeMutableBytes { frames in
      // SAFETY: what was received, as a whole, lies within `frames`.
      let rest = unsafe frames[count * frameBytes..<count * frameBytes + received]
      unsafe frames.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest))
    }
    unsent = 0..<4 * count * (Wire.replyHeaderWords + prediction.count)
  }

  private func answer(frame index: Int, _ counts: inout Counts) {
    var header: (status: UInt32, index: UInt32) = (0, 0)
    do throws(StepError) {
      let first = index * frameSize
      var span = prediction.mutableSpan
      let frame = frames.span.extracting(first..<first + frameSize)
      if try !session.step(frame, into: &span) { header.status = Wire.unanswered }
    } catch {
      header = Wire.header(error)
      counts.badFrames += 1
    }
    counts.frames += 1
    let start = index * (Wire.replyHeaderWords + prediction.count)
    replies[start] = header.status
    replies[start + 1] = header.index
    for (k, value) in prediction.enumerated() {
      replies[start + Wire.replyHeaderWords + k] = header.status == 0 ? value.bitPattern : 0
    }
  }

  private func send(_ now: ContinuousClock.Instant) {
    let count = unsafe replies.withUnsafeBytes { replies in
      // SAFETY: `unsent` lies within `replies`.
      unsafe Glibc.send(
        descriptor, replies.baseAddress! + unsent.lowerBound, unsent.count,
        Int32(MSG_DONTWAIT))
    }
    if count > 0 {
      unsent = unsent.lowerBound + count..<unsent.upperBound
      waitingSince = unsent.isEmpty ? nil : now
    } else if !isTemporary(errno) {
      ending = .lost
    }
  }

  private func isTemporary(_ errno: Int32) -> Bool {
    errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR
  }
}

/// Something that goes wrong with one request to a ``GoogleFake``.
public enum GoogleFault: Sendable {
  /// This answer, and no effect.
  case answer(Int, fields: [String: String] = [:], body: String = "")
  /// The connection is reset once this much of the request's body has come. What a session has of it
  /// is kept, down to whole 256 KiB.
  case resetUpload(after: Int)
  /// Of a chunk this much is stored, and the answer says so.
  case storePart(Int)
  /// A bit of what comes is flipped before it is stored.
  case damageUpload(at: Int)
  /// As it should be, but the connection is reset in place of the answer.
  case loseAnswer
  /// As it should be, but the answer waits for ``GoogleFake/releaseAnswers()``.
  case holdAnswer
  /// The connection ends after this much of the response's body.
  case cutResponse(after: Int)
  /// The connection is reset after this much of the response's body.
  case resetResponse(after: Int)
  /// A bit of the response's body is flipped.
  case damageResponse(at: Int)
  /// Nothing comes any more after this much of the response's body.
  case stall(after: Int)
  /// No answer, ever.
  case silence
  /// The answer comes without fields whose names begin so.
  case omit(String)

  /// Google's answer to one of too many requests, or in trouble.
  public static func busy(_ status: Int, retryAfter: String? = nil) -> Self {
    .answer(
      status, fields: retryAfter.map { ["Retry-After": $0] } ?? [:],
      body: GoogleFakeAnswer.errorText(status, "backendError", "try again"))
  }
}

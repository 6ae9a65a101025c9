import Foundation
import Logging
import Telemetry
import Testing

@Suite struct ServiceLogHandlerTests {
  /// What `body` logs, line by line.
  private func lines(
    format: ServiceLogHandler.Format, level: Logger.Level = .info, body: (Logger) -> Void
  ) throws -> [String] {
    let pipe = Pipe()
    let output = LogOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor)
    body(
      Logger(label: "consumer") {
        ServiceLogHandler(name: $0, level: level, format: format, output: output)
      })
    output.flush()
    try pipe.fileHandleForWriting.close()
    let data = try #require(try pipe.fileHandleForReading.readToEnd())
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  @Test func `a JSON line has its keys in the specified order`() throws {
    let line = try #require(
      lines(format: .json) { logger in
        logger.info(
          "job finished",
          metadata: [
            "queue": "predict", "event": "job_finished", "duration_ms": "12.5", "zoo": "z",
            "job_id": "predict:a \"b\"\n.tif:1", "error": "",
          ])
      }.first)
    let prefix = #/\{"ts":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",/#
    #expect(
      line.replacing(prefix, with: "{")
        == #"{"level":"INFO","logger":"consumer","msg":"job finished","event":"job_finished","#
        + #""job_id":"predict:a \"b\"\n.tif:1","queue":"predict","duration_ms":12.5,"zoo":"z"}"#)
    let parsed = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    #expect(parsed?["job_id"] as? String == "predict:a \"b\"\n.tif:1")
  }

  @Test(arguments: [ServiceLogHandler.Format.json, .text])
  func `no line has a secret, whoever logs it`(format: ServiceLogHandler.Format) throws {
    let line = try #require(
      lines(format: format) { logger in
        logger.error(
          "cannot open https://u:s3cret@h/a?s3cret",
          metadata: ["error": "Authorization: Bearer s3cret", "url": "http://h/?sig=s3cret"])
      }.first)
    #expect(!line.contains("s3cret"))
    #expect(line.contains("https://***@h/a?***") && line.contains("Authorization: ***"))
  }

  @Test func `an error that is cut tells no secret at its end`() throws {
    // Cut in the password, it would look like a host and a port.
    let url = "https://user:s3cret@host/"
    for count in 0..<url.count {
      let error = String(repeating: "e", count: 1999 - count) + " " + url
      let line = try #require(
        lines(format: .text) { $0.error("x", metadata: ["error": "\(error)"]) }.first)
      #expect(!line.contains("s3"))
    }
  }

  @Test func `a text line is one line, and nothing that a terminal obeys`() throws {
    let all = try lines(format: .text) {
      $0.error(
        "a\nb\u{1b}[2J", metadata: ["answer": "c\r\nd\u{9b}1A\u{7f}", "name": "é 😀 e\u{301}"])
    }
    #expect(
      all == [
        #"[ERROR]:[consumer]: a\nb\u001b[2J answer=c\r\nd\u009b1A\u007f name=é 😀 é"#
      ])
  }

  @Test func `a text line looks as in the Python service`() throws {
    let all = try lines(format: .text, level: .debug) { logger in
      logger.warning("model server is away", metadata: ["code": "UNAVAILABLE"])
      logger.debug("Downloaded x from bucket y in 0.1 seconds.")
    }
    #expect(
      all == [
        "[WARN]:[consumer]: model server is away code=UNAVAILABLE",
        "[DEBUG]:[consumer]: Downloaded x from bucket y in 0.1 seconds.",
      ])
  }

  @Test func `lines below the level are not written`() throws {
    let all = try lines(format: .text) {
      $0.debug("quiet")
      $0.error("loud")
    }
    #expect(all == ["[ERROR]:[consumer]: loud"])
  }

  @Test func `a long error is cut`() throws {
    let line = try lines(format: .text) {
      $0.error("x", metadata: ["error": "\(String(repeating: "e", count: 5000))"])
    }
    #expect(line.first?.count == "[ERROR]:[consumer]: x error=".count + 2000)
  }

  @Test func `a reader that does not read blocks nobody and is told what it missed`() throws {
    let pipe = Pipe()
    let output = LogOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor, limit: 100_000)
    let logger = Logger(label: "x") {
      ServiceLogHandler(name: $0, level: .info, format: .text, output: output)
    }
    for i in 0..<20_000 { logger.info("line number \(i)") }  // more than a pipe and the limit hold
    logger.info("end")

    let reader = Thread {
      output.flush(atMost: 30)
      try? pipe.fileHandleForWriting.close()
    }
    reader.start()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(text.contains("[INFO]:[x]: line number 0\n"))
    #expect(text.contains("log lines dropped: output was blocked"))
  }

  @Test(arguments: [
    ("info", Logger.Level.info), ("Warn", .warning), ("CRITICAL", .critical), ("x", .debug),
  ])
  func `levels have the names of the Python service`(name: String, level: Logger.Level) {
    #expect(ServiceLogHandler.level(named: name) == level)
  }
}

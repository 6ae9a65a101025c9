import Callbacks
import JobQueue

extension DeadCallback {
  /// - Parameter now: milliseconds since 1970 by the server's clock.
  static func table(_ callbacks: [DeadCallback], now: Int) -> Table {
    var table = Table([
      .init(heading: "CALLBACK"), .init(heading: "QUEUE"), .init(heading: "SERVER"),
      .init(heading: "TRIES", isNumber: true), .init(heading: "AGE", isNumber: true),
      .init(heading: "ERROR"),
    ])
    for callback in callbacks {
      let age = Duration.milliseconds(max(0, now - callback.time)).roughText
      table.add([
        callback.id, callback.queue, callback.server, "\(callback.tries)", age, callback.reason,
      ])
    }
    return table
  }

  var jsonLine: JSONLine {
    JSONLine(
      "callback",
      [
        "callback": .text(id), "job": .text(job), "queue": .text(queue), "told": .text(event),
        "server": .text(server), "tries": .integer(tries), "error": .text(reason),
        "given_up_at": .text(Timestamp(microseconds: time * 1000).description),
      ])
  }
}

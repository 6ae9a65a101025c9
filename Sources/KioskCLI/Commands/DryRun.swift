import JobQueue

/// Shows jobs instead of submitting them.
enum DryRun {
  static func show(
    _ files: [InputFile], _ options: JobOptions, _ delivery: DeliveryFlags, timeout: TimeSpan?,
    _ console: Console
  ) {
    let delivery = delivery.described(timeout: timeout)
    for file in files {
      let isZip = file.name.lowercased().hasSuffix(".zip")
      let queue = isZip ? Keys.zipQueue(of: options.queue) : options.queue
      if console.isJSON {
        let fields = options.fields.mapValues { JSONLine.Value.text($0) }
        console.result(
          JSONLine(
            "dry_run",
            [
              "file": .text(file.name), "bytes": .integer(file.size), "queue": .text(queue),
              "fields": .object(fields),
              "delivery": .object(Dictionary(uniqueKeysWithValues: delivery)),
            ]
          ).text)
      } else {
        let fields =
          options.fields.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }
          + delivery.map { " \($0.name)=\($0.value.plainText)" }
        console.result(
          "\(file.path.printable) (\(file.size) bytes) -> queue \(queue)"
            + fields.joined().printable)
      }
    }
  }
}

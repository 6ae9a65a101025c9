import CCurl
import Glibc
import Synchronization

/// A thread that drives the transfers of one client.
///
/// libcurl's handles may be used by one thread at a time: `multi` and `running` belong to the loop's
/// own. Only `curl_multi_wakeup` may be called from any.
final class TransferLoop: @unchecked Sendable {
  private struct Inbox {
    var starting: [Transfer] = []
    var cancelled: [Transfer] = []
    /// Transfers that were started and have not ended.
    var count = 0
    var isStopped = false
  }

  /// Nothing has to be looked at between events; this bounds what a lost one would cost.
  private static let longestWait: Int32 = 1000
  private static let longestIdleWait: Int32 = 3_600_000

  private static let isReady: Bool = ccurl_global_init() == CURLE_OK

  private let multi: UnsafeMutableRawPointer
  private let transferLimit: Int
  private let inbox = Mutex(Inbox())
  private var running: [UnsafeMutableRawPointer: Transfer] = [:]

  init(_ configuration: HTTPClientConfiguration) throws(HTTPError) {
    guard Self.isReady, let multi = curl_multi_init() else {
      throw HTTPError(.stopped, reason: "libcurl cannot be set up")
    }
    self.multi = multi
    transferLimit = configuration.transferLimit
    ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.connectionsPerHost)
    ccurl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, configuration.connections)
    ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, configuration.connections)
    try startThread()
  }

  deinit { curl_multi_cleanup(multi) }

  private func startThread() throws(HTTPError) {
    // The thread owns the loop until `stop()`.
    let this = Unmanaged.passRetained(self)
    var thread = pthread_t()
    let result = pthread_create(
      &thread, nil,
      { loop in
        guard let loop else { return nil }
        Unmanaged<TransferLoop>.fromOpaque(loop).takeRetainedValue().run()
        return nil
      }, this.toOpaque())
    guard result == 0 else {
      this.release()
      throw HTTPError(
        .stopped, reason: "no thread can be started: \(String(cString: strerror(result)))")
    }
    pthread_detach(thread)
  }

  // MARK: From any thread

  func start(_ transfer: Transfer, _ continuation: CheckedContinuation<HTTPHead, any Error>) {
    let refusal: HTTPError? = inbox.withLock { inbox in
      if inbox.isStopped { return transfer.error(.stopped, "the client has ended") }
      if inbox.count >= transferLimit {
        return transfer.error(.tooManyTransfers, "\(transferLimit) transfers are under way")
      }
      transfer.continuation = continuation
      inbox.count += 1
      inbox.starting.append(transfer)
      return nil
    }
    if let refusal { return continuation.resume(throwing: refusal) }
    curl_multi_wakeup(multi)
  }

  /// Ends a transfer, also one that has not been started yet.
  func cancel(_ transfer: Transfer) {
    transfer.isCancelled.store(true, ordering: .releasing)
    inbox.withLock { inbox in
      if !inbox.isStopped { inbox.cancelled.append(transfer) }
    }
    curl_multi_wakeup(multi)
  }

  func stop() {
    inbox.withLock { $0.isStopped = true }
    curl_multi_wakeup(multi)
  }

  // MARK: On the loop's thread

  private func run() {
    // Signals are for others; writing into a closed connection must not end the process.
    var all = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, nil)

    while takeOrders() {
      var count: Int32 = 0
      curl_multi_perform(multi, &count)
      endCompleted()
      let wait = running.isEmpty ? Self.longestIdleWait : Self.longestWait
      // It fails for want of memory at most, which is no reason to spin.
      if curl_multi_poll(multi, nil, 0, wait, nil) != CURLM_OK { usleep(100_000) }
    }
  }

  /// Returns false when the loop is to end.
  private func takeOrders() -> Bool {
    let (starting, cancelled, isStopped) = inbox.withLock { inbox in
      defer {
        inbox.starting = []
        inbox.cancelled = []
      }
      return (inbox.starting, inbox.cancelled, inbox.isStopped)
    }
    for transfer in starting { begin(transfer) }
    for transfer in cancelled where transfer.easy.flatMap({ running[$0] }) === transfer {
      end(transfer, .failure(CancellationError()))
    }
    if isStopped {
      for transfer in running.values {
        end(transfer, .failure(transfer.error(.stopped, "the client has ended")))
      }
    }
    return !isStopped
  }

  private func begin(_ transfer: Transfer) {
    if transfer.isCancelled.load(ordering: .acquiring) {
      return end(transfer, .failure(CancellationError()))
    }
    do throws(HTTPError) {
      let easy = try transfer.makeEasy()
      guard curl_multi_add_handle(multi, easy) == CURLM_OK else {
        throw transfer.error(.stopped, "libcurl takes no more transfers")
      }
      running[easy] = transfer
    } catch {
      end(transfer, .failure(error))
    }
  }

  private func endCompleted() {
    var left: Int32 = 0
    while let message = curl_multi_info_read(multi, &left) {
      guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle,
        let transfer = running[easy]
      else { continue }
      end(transfer, transfer.outcome(message.pointee.data.result))
    }
  }

  private func end(_ transfer: Transfer, _ result: Result<HTTPHead, any Error>) {
    if let easy = transfer.easy, running.removeValue(forKey: easy) != nil {
      curl_multi_remove_handle(multi, easy)
    }
    transfer.close()
    inbox.withLock { $0.count -= 1 }
    transfer.continuation?.resume(with: result)
    transfer.continuation = nil
  }
}

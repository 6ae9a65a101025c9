import CModelServer
import Dispatch
import Serving
import Synchronization

/// A gRPC server that speaks as TensorFlow Serving does and answers by a Swift closure, for as long as
/// this object lives or until it is stopped.
///
/// Each call runs the closure in a task of its own, so answers may take as long as they like and
/// come in any order. The task is cancelled when the caller cancels, its deadline passes or its
/// connection is lost, and when the server stops; the answer is still due and then goes nowhere.
/// Calls that cannot be read, and methods of TensorFlow Serving we leave out, are answered without
/// the closure.
public final class ModelServerHost: @unchecked Sendable {  // the handle is thread-safe
  public typealias Handler = @Sendable (ModelServerCall) async -> ModelServerReply

  private let handle: OpaquePointer
  private let acceptor: Acceptor

  /// The port in use.
  public let port: Int

  /// Listens and serves.
  ///
  /// - Parameters:
  ///   - address: a numeric address or host name, without a port.
  ///   - port: 0 picks a free one.
  ///   - maximumInputBytes: memory the tensors of one request may take; larger ones are refused
  ///     with `OUT_OF_RANGE`.
  /// - Throws: ``ServingError`` when the address is taken or not of this machine.
  public init(
    address: String = "127.0.0.1", port: Int = 0, maximumInputBytes: Int = 1 << 31,
    handler: @escaping Handler
  ) throws(ServingError) {
    acceptor = Acceptor(handler: handler, maximumInputBytes: maximumInputBytes)
    let endpoint = address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
    let acceptorPointer = Unmanaged.passUnretained(acceptor).toOpaque()  // outlives the handle
    do {
      handle = try checked { error in
        endpoint.withCString { endpoint in
          var options = tfs_server_options(
            address: endpoint,
            called: { user, call in
              guard let user else { return }
              Unmanaged<Acceptor>.fromOpaque(user).takeUnretainedValue().accept(call)
            },
            user: acceptorPointer)
          return tfs_server_start(&options, error)
        }
      }!  // set when no error was
    } catch {
      throw ServingError(
        code: error.code, operation: .connect, message: error.message, server: endpoint)
    }
    self.port = Int(tfs_server_port(handle))
  }

  deinit {
    // Destroying waits for calls in flight, whose tasks may need the very thread this runs on.
    nonisolated(unsafe) let handle = handle  // nobody else has it any more
    let acceptor = acceptor
    DispatchQueue.global().async {
      tfs_server_destroy(handle)
      withExtendedLifetime(acceptor) {}
    }
  }

  /// Refuses new calls, lets those in flight go on for `grace`, then cancels them. Returns when all
  /// have been answered.
  public func stop(grace: Duration = .zero) async {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async { [self] in
        tfs_server_stop(handle, Int64(grace / .milliseconds(1)))
        continuation.resume()
      }
    }
  }
}

/// Turns calls into tasks.
private final class Acceptor: Sendable {
  let handler: ModelServerHost.Handler
  let maximumInputBytes: Int

  init(handler: @escaping ModelServerHost.Handler, maximumInputBytes: Int) {
    self.handler = handler
    self.maximumInputBytes = maximumInputBytes
  }

  /// Runs on the server's thread.
  func accept(_ handle: OpaquePointer) {
    let call = PendingCall(handle)
    let cancellation = Cancellation()
    call.onCancel { cancellation.cancel() }
    // Unstructured: its parent is a connection. It ends with the call, which the server waits for.
    let task = Task { [handler, maximumInputBytes] in
      let read: ModelServerCall
      do throws(ShimError) {
        read = try call.read(budget: maximumInputBytes)
      } catch {
        return call.answer(.failure(error.code, error.message))
      }
      call.answer(await handler(read))
    }
    cancellation.cover(task)
  }
}

/// Cancels a task that may not have been made yet: its call can end before it begins.
private final class Cancellation: Sendable {
  private enum State {
    case waiting, cancelled
    case covering(Task<Void, Never>)
  }

  private let state = Mutex(State.waiting)

  func cancel() {
    let task: Task<Void, Never>? = state.withLock { state in
      defer { state = .cancelled }
      if case .covering(let task) = state { return task }
      return nil
    }
    task?.cancel()
  }

  func cover(_ task: Task<Void, Never>) {
    let isLate = state.withLock { state in
      if case .cancelled = state { return true }
      state = .covering(task)
      return false
    }
    if isLate { task.cancel() }
  }
}

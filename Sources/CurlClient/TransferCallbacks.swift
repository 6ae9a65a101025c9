import CCurl
import Glibc

// What libcurl calls on the loop's thread, each with the transfer it is about. A number of bytes other
// than it asked for makes it break off.

func receiveHead(
  _ line: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ data: UnsafeMutableRawPointer?
) -> Int {
  guard let transfer = transfer(data), let line else { return 0 }
  let bytes = UnsafeRawBufferPointer(start: line, count: size * count)
  switch transfer.head.read(bytes) {
  case .goesOn: return bytes.count
  case .tooLarge:
    transfer.failure = transfer.error(.tooLarge, "what comes before its body")
    return 0
  case .complete:
    guard let head = transfer.head.finished else { return 0 }
    return transfer.attempt { try transfer.sink.begin(head) } == nil ? 0 : bytes.count
  }
}

func receiveBody(
  _ piece: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ data: UnsafeMutableRawPointer?
) -> Int {
  guard let transfer = transfer(data), let piece else { return 0 }
  let bytes = UnsafeRawBufferPointer(start: piece, count: size * count)
  guard let wantsMore = transfer.attempt({ try transfer.sink.write(bytes) }) else { return 0 }
  if wantsMore || bytes.isEmpty { return bytes.count }
  transfer.isSatisfied = true
  return 0
}

func sendBody(
  _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
  _ data: UnsafeMutableRawPointer?
) -> Int {
  let abort = Int(CURL_READFUNC_ABORT)
  guard let transfer = transfer(data), let buffer else { return abort }
  guard let body = transfer.request.body else { return 0 }
  let room = UnsafeMutableRawBufferPointer(start: buffer, count: size * count)
  guard let read = transfer.attempt({ try body.read(at: transfer.offset, into: room) }) else {
    return abort
  }
  precondition(read >= 0 && read <= room.count, "a body source read more than there was room for")
  transfer.offset += Int64(read)
  return read
}

/// libcurl wants to send a request anew when a kept connection ends without an answer. What the server
/// has of the body it may have acted upon: whether to send it again is for who knows what it does.
func refuseToRewind(
  _ data: UnsafeMutableRawPointer?, _ offset: curl_off_t, _ origin: Int32
) -> Int32 {
  guard let transfer = transfer(data) else { return Int32(CURL_SEEKFUNC_FAIL) }
  if origin == SEEK_SET, offset == transfer.offset { return Int32(CURL_SEEKFUNC_OK) }
  transfer.failure = transfer.error(
    .connectionLost, "it ended after the body had been sent in part and before an answer came")
  return Int32(CURL_SEEKFUNC_FAIL)
}

/// Makes the socket of a connection, to an address that the name has been resolved to. Nothing lies
/// between this check and the connection, so that a name cannot change its address meanwhile.
func openSocket(
  _ data: UnsafeMutableRawPointer?, _ purpose: curlsocktype,
  _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
  guard let transfer = transfer(data), let address else { return -1 }
  if let addresses = transfer.configuration.addresses {
    let peer = ccurl_address(address).flatMap { IPAddress($0) }
    let url = transfer.request.url
    guard let peer, addresses.allows(peer, host: url.host, port: url.port) else {
      transfer.refusedAddress = peer ?? .unspecified
      return -1
    }
  }
  transfer.hasOpenedSocket = true
  return socket(
    address.pointee.family, address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue),
    address.pointee.protocol)
}

private func transfer(_ data: UnsafeMutableRawPointer?) -> Transfer? {
  data.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
}

extension Transfer {
  /// Does something of the caller's; nil when it failed, which ends the transfer.
  fileprivate func attempt<Value>(_ body: () throws -> Value) -> Value? {
    do {
      return try body()
    } catch let error as HTTPError {
      failure = self.error(error.code, error.reason)
    } catch {
      failure = self.error(.bodyFailed, "\(error)")
    }
    return nil
  }
}

/// Keeps a client from addresses that those who choose its URLs have no business with: of this
/// machine, of the network around it, of a cloud's metadata.
package struct AddressGuard: Sendable {
  private enum Peer: Sendable {
    case range(IPRange)
    case host(String)
    /// Any host below it, with the dot in front.
    case suffix(String)
  }

  private struct Rule: Sendable {
    let peer: Peer
    /// Nil for any.
    let port: Int?
  }

  private let rules: [Rule]

  /// Without exceptions.
  package init() { rules = [] }

  /// - Parameter exceptions: what may be connected to all the same: addresses (`10.0.0.7`), ranges
  ///   (`10.0.0.0/8`), hosts (`hooks`, `*.lab.example`); hosts and single addresses also with a port
  ///   (`hooks:8080`, `[fd00::1]:80`).
  /// - Throws: ``HTTPError`` that names the first one that is none of these.
  package init(except exceptions: [String]) throws(HTTPError) {
    var rules: [Rule] = []
    for exception in exceptions {
      guard let rule = Self.rule(exception) else {
        throw HTTPError(
          .invalidRequest,
          reason: "\(exception.debugDescription) is not an address, a range such as 10.0.0.0/8, "
            + "or a host, with or without a port")
      }
      rules.append(rule)
    }
    self.rules = rules
  }

  private static func rule(_ text: String) -> Rule? {
    if let range = IPRange(text) { return Rule(peer: .range(range), port: nil) }
    var host = text
    var port: Int?
    if let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") {
      guard let number = Int(text[text.index(after: colon)...]), (1...65535).contains(number) else {
        return nil
      }
      port = number
      host = String(text[..<colon])
    }
    host = HTTPURL.plain(host)
    if let range = IPRange(host), !host.contains("/") {
      return Rule(peer: .range(range), port: port)
    }
    let isWild = host.hasPrefix("*.")
    let name = isWild ? host.dropFirst(2) : host[...]
    guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || "-._".contains($0) })
    else {
      return nil
    }
    return Rule(peer: isWild ? .suffix(".\(name)") : .host(host), port: port)
  }

  /// Whether a connection may be made.
  ///
  /// - Parameters:
  ///   - host: of the URL, as in ``HTTPURL/host``.
  package func allows(_ address: IPAddress, host: String, port: Int) -> Bool {
    if address.isPublic { return true }
    return rules.contains { rule in
      guard rule.port == nil || rule.port == port else { return false }
      return switch rule.peer {
      case .range(let range): range.contains(address)
      case .host(let name): name == host
      case .suffix(let suffix): host.hasSuffix(suffix)
      }
    }
  }
}

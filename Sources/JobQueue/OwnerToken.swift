/// Proof that a worker has a job: given with the claim, asked for by everything that changes it.
///
/// Made of the process's boot id, the time of the claim and the number of the delivery. It is opaque:
/// compared for equality, never ordered. A counter alone would not do, since a failover can set it
/// back and so give two workers the same number.
package struct OwnerToken: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  package let rawValue: String

  package init(rawValue: String) { self.rawValue = rawValue }

  package var description: String { rawValue }
}

/// A text that must not be seen: descriptions, dumps and interpolations of it are `***`.
package struct Secret: Sendable, Hashable {
  /// The text itself, for the one place that sends it or signs with it.
  package let revealed: String

  package init(_ text: String) { revealed = text }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "***" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

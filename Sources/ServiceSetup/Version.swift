/// What this build is.
public enum Version {
  public static let number = "0.1.0"

  /// The compiler's version, as far as it can be told at compile time.
  private static var swift: String {
    #if compiler(>=6.4)
      "6.4 or newer"
    #elseif compiler(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }

  public static var description: String { "\(number) (Swift \(swift))" }
}

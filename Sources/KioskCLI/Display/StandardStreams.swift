import Glibc

/// What every program gets from its shell, or not.
enum StandardStreams {
  /// Makes closed streams harmless and a reader that goes away no reason to die.
  ///
  /// Without this, a connection could get the number of a closed stream, and results would be written
  /// to Redis. With nobody to read results, jobs are still followed and files fetched. The first closed
  /// stream may have become an event of Dispatch by now, which writing to only wakes up.
  static func prepare() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 {
      // Takes the lowest free number, which is this one.
      _ = open("/dev/null", O_RDWR)
    }
    signal(SIGPIPE, SIG_IGN)
  }
}

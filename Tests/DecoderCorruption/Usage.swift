import CLinux
import Foundation

/// What the process holds.
struct Usage {
  private let descriptors: Int
  private let heap: Int
  private let resident: Int

  init() {
    descriptors =
      (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? -1
    heap = Int(mallinfo2().uordblks)
    let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(
      separator: " "
    ).dropFirst().first.flatMap { Int($0) }
    resident = (pages ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
  }

  struct Growth: CustomStringConvertible {
    let descriptors: Int
    let heap: Int
    let resident: Int

    /// The heap holds caches of the runtime, the resident pages what malloc keeps for later.
    var isHarmless: Bool { descriptors <= 0 && heap < 256 << 10 && resident < 64 << 20 }

    var description: String {
      "descriptors \(descriptors), heap \(heap) bytes, resident memory \(resident >> 10) KiB more"
    }
  }

  func growth(since start: Usage) -> Growth {
    Growth(
      descriptors: descriptors - start.descriptors, heap: heap - start.heap,
      resident: resident - start.resident)
  }
}

enum Memory {
  /// Fills memory that malloc gives from now on with a byte that depends on the number.
  static func fill(with number: Int) {
    mallopt(M_PERTURB, Int32(1 + number % 255))
  }
}

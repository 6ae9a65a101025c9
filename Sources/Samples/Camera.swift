import Arrays
import Glibc

/// Counts light as the camera of a microscope does.
enum Camera {
  /// What it counts in the dark.
  private static let offset: Float = 100
  /// Standard deviation of what it counts too much or too little without any light.
  private static let readNoise: Float = 6
  private static let limit: Float = 65535

  /// - Parameter light: `[row, column]`, electrons of each pixel, 0 or more.
  /// - Returns: whole numbers of 16 bits.
  static func picture(
    of light: NDArray<Float>, _ generator: inout SeededGenerator
  ) -> NDArray<Float> {
    NDArray(uninitialized: light.shape) { output in
      light.withUnsafeBuffer { light in
        for i in output.indices {
          // Light comes in single electrons, so its noise is the root of their number.
          let noise = (max(light[i], 0) + readNoise * readNoise).squareRoot()
          let count = offset + light[i] + noise * generator.normal()
          output[i] = min(max(count.rounded(), 0), limit)
        }
      }
    }
  }
}

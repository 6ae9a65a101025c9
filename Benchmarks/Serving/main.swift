import Arrays
import Foundation
import ModelServing
import Serving

// Round trips of images through a real gRPC connection on loopback, to a server that answers from
// memory: [1, n, n, 1] floats out, [1, n, n, 4] floats back. Wall time and this process's CPU time per
// call, as multiples of copying the same bytes once. The server runs in a process of its own.

if CommandLine.arguments.dropFirst().first == "serve" {
  try await serve()
} else {
  try await measure()
}

/// Prints its port and answers until its input ends.
func serve() async throws {
  let replies = [512, 2048].map { size in
    AnyNDArray(NDArray<Float>(shape: [1, size, size, 4], repeating: 0.5))
  }
  let isTyped = CommandLine.arguments.contains("--typed")
  let server = try ModelServerHost { call in
    guard case .predict(let predict) = call.request, let size = predict.inputs["x"]?.shape[1] else {
      return .failure(.unimplemented, "")
    }
    guard let reply = replies.first(where: { $0.shape[1] == size }) else {
      return .failure(.invalidArgument, "no reply of that size")
    }
    return .outputs(["y": reply], model: predict.model, encoding: isTyped ? .typed : .tensorContent)
  }
  print(server.port)
  fflush(nil)
  while readLine() != nil {}
  await server.stop()
}

func measure() async throws {
  print("size  at once  encoding        wall ms  CPU ms  peak MiB  wall/memcpy  CPU/memcpy")
  for isTyped in [true, false] {
    for size in [512, 2048] {
      for atOnce in [1, 4] {
        let (port, stop) = try startServer(isTyped: isTyped)
        try await measure(size: size, atOnce: atOnce, isTyped: isTyped, port: port)
        stop()
      }
    }
  }
}

func startServer(isTyped: Bool) throws -> (port: Int, stop: () -> Void) {
  let process = Process()
  process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
  process.arguments = ["serve"] + (isTyped ? ["--typed"] : [])
  let (input, output) = (Pipe(), Pipe())
  process.standardInput = input
  process.standardOutput = output
  try process.run()
  let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
  guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
    fatalError("the server says \"\(line)\" instead of its port")
  }
  return (port, { try? input.fileHandleForWriting.close() })
}

func measure(size: Int, atOnce: Int, isTyped: Bool, port: Int) async throws {
  var configuration = ServingConfiguration()
  configuration.host = "127.0.0.1"
  configuration.port = port
  let client = ServingClient(configuration)
  let model = ModelName(name: "Benchmark", version: 1)
  let image = AnyNDArray(NDArray<Float>(shape: [1, size, size, 1], repeating: 0.5))
  let calls = size == 512 ? 400 : 40

  func run(_ calls: Int) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<atOnce {
        group.addTask {
          for _ in 0..<calls / atOnce {
            _ = try await client.predict(model: model, inputs: ["x": image])
          }
        }
      }
      try await group.waitForAll()
    }
  }
  try await run(calls / 4)
  resetPeak()
  let idle = memory("VmRSS")
  let cpu = cpuSeconds()
  let clock = ContinuousClock()
  let wall = try await clock.measure { try await run(calls) } / .milliseconds(calls)
  let used = (cpuSeconds() - cpu) * 1000 / Double(calls)
  let copy = copyMilliseconds(bytes: size * size * 4 * 5)

  print(
    pad(size, 4), pad(atOnce, 8), "", isTyped ? "float_val     " : "tensor_content",
    number(wall, 8), number(used, 7), number(max(memory("VmHWM") - idle, 0), 9),
    number(wall / copy, 12), number(used / copy, 11))
}

/// Copying into memory that was used before: the least any transfer can cost.
func copyMilliseconds(bytes: Int) -> Double {
  let from = ArrayStorage(byteCount: bytes)
  let to = ArrayStorage(byteCount: bytes)
  from.bytes.initializeMemory(as: UInt8.self, repeating: 1)
  to.bytes.initializeMemory(as: UInt8.self, repeating: 0)
  let times = max(1, (1 << 30) / bytes)
  let wall = ContinuousClock().measure {
    for _ in 0..<times { to.bytes.copyMemory(from: UnsafeRawBufferPointer(from.bytes)) }
  }
  return wall / .milliseconds(times)
}

func cpuSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// A line of /proc/self/status, in MiB.
func memory(_ name: String) -> Double {
  let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
  let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
  let kilobytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first
  return (kilobytes.flatMap { Double($0) } ?? 0) / 1024
}

/// Starts the peak anew, where the kernel allows it.
func resetPeak() { try? Data("5".utf8).write(to: URL(filePath: "/proc/self/clear_refs")) }

func pad(_ value: Int, _ width: Int) -> String {
  let text = String(value)
  return String(repeating: " ", count: max(0, width - text.count)) + text
}

func number(_ value: Double, _ width: Int) -> String {
  let text = String(format: "%.1f", value)
  return String(repeating: " ", count: max(0, width - text.count)) + text
}

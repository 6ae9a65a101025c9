import Foundation

// Feeds corrupted files to the decoders and ends with 0 if each was refused or decoded within the
// limits, and nothing leaked. A program of its own, so that a crash or a hang ends it alone, and so
// that it can be built with a sanitizer without everything else.
//
// usage: DecoderCorruption FORMAT [ROUNDS [FIRST-SEED]]

let arguments = CommandLine.arguments.dropFirst()
guard let format = arguments.first.flatMap(Format.init(rawValue:)),
  let rounds = Int(arguments.dropFirst().first ?? "10000"),
  let first = Int(arguments.dropFirst(2).first ?? "0"), rounds > 0, first >= 0
else {
  let formats = Format.allCases.map(\.rawValue).joined(separator: " | ")
  FileHandle.standardError.write(
    Data("usage: DecoderCorruption \(formats) [ROUNDS [FIRST-SEED]]\n".utf8))
  exit(64)
}

do {
  print(try CorruptionRun(format: format).summary(seeds: first..<first + rounds))
} catch {
  FileHandle.standardError.write(Data("\(error)\n".utf8))
  exit(1)
}

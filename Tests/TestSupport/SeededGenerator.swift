import Samples

/// Random numbers that are the same for the same seed, so that a seed reproduces a failure.
public typealias SeededGenerator = Samples.SeededGenerator

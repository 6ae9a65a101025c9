import Synchronization
import TestSupport

/// Chance that a seed repeats, for one of those who act.
final class Dice: Sendable {
  private let generator: Mutex<SeededGenerator>

  /// - Parameter name: so that each actor has its own chance, whatever the others do.
  init(seed: Int, _ name: String) {
    let salt = name.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xffff_ffff }
    generator = Mutex(SeededGenerator(seed: seed &* 1_000_003 &+ salt))
  }

  func int(in range: ClosedRange<Int>) -> Int {
    generator.withLock { Int.random(in: range, using: &$0) }
  }

  func isTrue(_ percent: Int) -> Bool { int(in: 1...100) <= percent }

  func pick<Element>(_ elements: [Element]) -> Element? {
    elements.isEmpty ? nil : elements[int(in: 0...elements.count - 1)]
  }

  func milliseconds(_ range: ClosedRange<Int>) -> Duration { .milliseconds(int(in: range)) }

  func shuffled<Element: Sendable>(_ elements: [Element]) -> [Element] {
    generator.withLock { elements.shuffled(using: &$0) }
  }
}

/// Gives all of some things in random order before any comes again.
final class Deck<Card: Sendable>: Sendable {
  private let cards: [Card]
  private let dice: Dice
  private let left = Mutex<[Card]>([])

  init(_ cards: [Card], _ dice: Dice) { (self.cards, self.dice) = (cards, dice) }

  func next() -> Card {
    if let card = left.withLock({ $0.popLast() }) { return card }
    let all = dice.shuffled(cards)
    return left.withLock { left in
      left = Array(all.dropLast())
      return all[all.count - 1]
    }
  }
}

/// Counts of what happened, by name.
final class Tally: Sendable {
  private let counts = Mutex<[String: Int]>([:])

  func add(_ name: String, _ count: Int = 1) {
    if count > 0 { counts.withLock { $0[name, default: 0] += count } }
  }

  subscript(name: String) -> Int { counts.withLock { $0[name, default: 0] } }

  var text: String {
    counts.withLock { counts in
      counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }
  }
}

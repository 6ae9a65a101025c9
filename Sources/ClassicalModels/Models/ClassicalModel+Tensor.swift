import Arrays

extension ClassicalModel {
  /// How long an axis is.
  enum Extent: Sendable, ExpressibleByIntegerLiteral {
    case fixed(Int)
    /// Any; axes of one name are equally long in all inputs and outputs.
    case any(_ name: String)

    init(integerLiteral value: Int) { self = .fixed(value) }
  }

  /// An input or output of the signature; its elements are `Float`.
  struct Tensor: Sendable {
    let name: String
    /// Those of one entry of the batch, slowest axis first.
    let extents: [Extent]

    /// With the batch, as the metadata tell it: -1 stands for any.
    var shape: Shape { [-1] + shape(lengths: [:], otherwise: -1) }

    var takesAnyExtent: Bool {
      extents.contains { if case .any = $0 { true } else { false } }
    }

    /// The shape of one entry of the batch.
    ///
    /// - Parameter lengths: of axes, by name.
    func shape(lengths: [String: Int], otherwise length: Int = 0) -> Shape {
      extents.map {
        switch $0 {
        case .fixed(let length): length
        case .any(let name): lengths[name] ?? length
        }
      }
    }

    func fits(_ shape: Shape) -> Bool {
      shape.count == extents.count + 1
        && zip(shape.dropFirst(), extents).allSatisfy { length, extent in
          if case .fixed(let fixed) = extent { length == fixed } else { true }
        }
    }

    /// Adds what an input's shape tells of the lengths of axes.
    ///
    /// - Returns: the name of an axis that was known to be of another length.
    func note(_ shape: Shape, in lengths: inout [String: Int]) -> String? {
      for (length, extent) in zip(shape.dropFirst(), extents) {
        guard case .any(let name) = extent else { continue }
        if let known = lengths[name], known != length { return name }
        lengths[name] = length
      }
      return nil
    }
  }
}

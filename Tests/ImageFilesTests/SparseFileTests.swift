import Foundation
import ImageFiles
import TestSupport
import Testing

/// Files of more than 4 GB, nearly all of which is holes.
@Suite(.computing) struct SparseFileTests {
  private func failure(_ file: BareTIFF, size: Int) throws -> ImageFileError? {
    let folder = try TemporaryFolder()
    let path = try folder.write(file.bytes, as: "file")
    #expect(truncate(path, size) == 0)
    do {
      _ = try ImageFile.decode(
        contentsOf: path, name: "sent.tif", limits: DecodingLimits(bytes: 1 << 30))
      return nil
    } catch {
      return error
    }
  }

  private func stack(images: Int) -> BareTIFF {
    let text = Array("ImageJ=1.53t\nimages=\(images)\nslices=\(images)\n\0".utf8)
    var file = BareTIFF()
    let description = file.append(text)
    // The pixels of all planes start behind the only directory.
    file.appendDirectory(
      BareTIFF.page(
        width: 2048, height: 2048, at: 4096, count: 2048 * 2048,
        changing: [(270, 2, text.count, description)]))
    return file
  }

  @Test func `the planes of a virtual stack beyond 4 GB are counted`() throws {
    let whole = try failure(stack(images: 1500), size: 4096 + 1500 << 22)
    #expect(whole?.code == .tooLarge)
    #expect(whole?.reason.contains("takes 6.3 GB in memory") == true, "\(whole?.reason ?? "")")

    let cut = try failure(stack(images: 1500), size: 4096 + 1400 << 22)
    #expect(
      cut?.reason.contains("1500 pages but has pixels for only 1400") == true,
      "\(cut?.reason ?? "")")
  }

  @Test(arguments: [(34412, "Zeiss LSM"), (65420, "Hamamatsu NDPI")])
  func `files whose positions wrap around at 4 GB are refused`(tag: Int, maker: String) throws {
    var file = BareTIFF()
    let info = file.append([UInt8](repeating: 0, count: 64))
    file.appendDirectory(BareTIFF.page(changing: [(tag, 1, 64, info)]))
    #expect(try failure(file, size: 1 << 20) == nil)
    let error = try failure(file, size: 1 << 32 + 1)
    #expect(error?.code == .unsupported)
    #expect(error?.description.contains("is a \(maker) file of more than 4 GB") == true)
  }
}

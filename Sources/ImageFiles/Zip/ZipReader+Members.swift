import CZip

extension ZipReader {
  /// The archive's files, all checked.
  static func members(
    of handle: OpaquePointer, _ directory: ZipDirectory, _ source: ByteSource,
    _ selection: Selection
  ) throws(ImageFileError) -> [Member] {
    // Two readers of one directory must agree, or the checks are about other bytes.
    guard Int(zip_get_num_entries(handle, 0)) == directory.records.count else {
      throw ZipDirectory.damaged(source)
    }
    var members: [Member] = []
    var names: Set<String> = []
    for (index, record) in directory.records.enumerated() {
      let index = UInt64(index)
      var status = zip_stat_t()
      guard let text = zip_get_name(handle, index, UInt32(ZIP_FL_ENC_GUESS)),
        let name = String(validatingCString: text),
        zip_stat_index(handle, index, 0, &status) == 0,
        let size = Int(exactly: status.size),
        status.comp_size == UInt64(record.storedSize), Int(status.comp_method) == record.method
      else { throw ZipDirectory.damaged(source) }

      let isFolder = name.hasSuffix("/")
      let path = try checked(record, name, isFolder: isFolder, source)
      if isFolder { continue }
      guard names.insert(path).inserted else {
        throw refused(name, "is in it twice", source)
      }
      if selection == .all || isWanted(path) {
        members.append(Member(name: path, size: size, index: index, record: record))
      }
    }
    try checkFolders(of: names, source)
    return members
  }

  /// The name, once member and name are found to be harmless.
  private static func checked(
    _ record: ZipDirectory.Record, _ name: String, isFolder: Bool, _ source: ByteSource
  ) throws(ImageFileError) -> String {
    // libzip's names end at the first NUL.
    guard !record.name.contains(0) else {
      throw refused(name, "has control characters in its name", source)
    }
    guard !record.isEncrypted else {
      throw refused(name, "is protected by a password", source, advice: "pack it without one")
    }
    let components: [String]
    do {
      components = try FolderFile.memberComponents(of: name)
    } catch {
      throw refused(name, error.reason, source)
    }
    guard components.allSatisfy({ $0.utf8.count <= 255 }) else {
      throw refused(name, "has a name too long for a file", source, advice: "shorten it")
    }
    let (typeMask, regular, folder) = (0o170000, 0o100000, 0o040000)
    let type = record.mode & typeMask
    guard type == 0 || type == regular || (isFolder && type == folder) else {
      throw refused(name, "is a link or a device, not a file", source)
    }
    let (stored, deflated) = (0, 8)
    guard record.method == stored || record.method == deflated else {
      throw refused(
        name, "is compressed in an uncommon way (method \(record.method))", source,
        advice: "pack it with normal ZIP compression")
    }
    return components.joined(separator: "/")
  }

  /// No file may have the name of a folder that another is in.
  private static func checkFolders(
    of names: Set<String>, _ source: ByteSource
  ) throws(ImageFileError) {
    var folders: Set<Substring> = []
    for name in names {
      var folder = name[...]
      while let slash = folder.lastIndex(of: "/") {
        folder = folder[..<slash]
        guard folders.insert(folder).inserted else { break }
        if names.contains(String(folder)) {
          throw refused(String(folder), "is both a file and a folder", source)
        }
      }
    }
  }

  private static func isWanted(_ path: String) -> Bool {
    guard !path.contains("__MACOSX"), let last = path.split(separator: "/").last else {
      return false
    }
    return last.drop(while: { $0 == "." }).contains(".")
  }

  private static func refused(
    _ member: String, _ reason: String, _ source: ByteSource,
    advice: String = "remove it from the archive or pack it again"
  ) -> ImageFileError {
    ImageFileError(
      .unsafeMember, file: source.name,
      "has a member, \(member.forDisplay), that \(reason)", advice: advice)
  }
}

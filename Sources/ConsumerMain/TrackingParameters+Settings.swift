import ImageAlgorithms
import Settings

extension TrackingParameters {
  init(from values: SettingValues) {
    self.init(
      appearance: AppearanceParameters(
        size: values.integer("APPEARANCE_DIM"),
        cropMode: values.text("CROP_MODE")?.lowercased() == "fixed" ? .fixed : .resize,
        isNormalized: values.boolean("CALIBAN_NORM")),
      maximumDistance: values.number("MAX_DISTANCE"), trackLength: values.integer("TRACK_LENGTH"),
      birth: values.number("BIRTH"), death: values.number("DEATH"),
      division: values.number("DIVISION"))
  }
}

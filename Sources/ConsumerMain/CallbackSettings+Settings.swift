import Callbacks
import CurlClient
import Settings

extension CallbackSettings {
  /// Nil if `values` holds a problem, which is then reported there.
  init?(from values: inout SettingValues) {
    let allowed = (values.text("CALLBACK_ALLOW_PRIVATE") ?? "").split(separator: ",")
      .map { $0.filter { !$0.isWhitespace } }.filter { !$0.isEmpty }
    let addresses: AddressGuard
    do {
      addresses = try AddressGuard(except: allowed)
    } catch {
      values.report("CALLBACK_ALLOW_PRIVATE", "\(error)")
      return nil
    }
    self.init(
      secret: values.text("CALLBACK_SECRET").flatMap(CallbackSecret.init), addresses: addresses,
      authorityFile: values.text("CALLBACK_CA_FILE"), timeout: values.duration("CALLBACK_TIMEOUT"),
      maximumTries: values.integer("CALLBACK_MAX_ATTEMPTS"),
      interval: values.duration("REAP_INTERVAL"),
      deadLetterLimit: values.integer("DEAD_LETTER_MAX"),
      deadLetterLifetime: values.duration("FAILURE_TTL"))
  }
}

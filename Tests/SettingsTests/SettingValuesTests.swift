import Settings
import Testing

@Suite struct SettingValuesTests {
  @Test func `a flag wins over the environment, which wins over the default`() {
    let flags = SettingValues.parse(["--redis-port", "7000", "--queue=Nuclei", "--version"])
    let values = SettingValues(
      flags: flags.settings, environment: ["REDIS_PORT": "7001", "TF_HOST": "models"])
    #expect(values.integer("REDIS_PORT") == 7000)
    #expect(values.text("QUEUE") == "Nuclei")
    #expect(values.text("TF_HOST") == "models")
    #expect(values.integer("TF_PORT") == 8500)
    #expect(values.problems.isEmpty)
    #expect(flags.others == ["--version"])
  }

  @Test func `an empty variable is an unset one`() {
    let values = SettingValues(environment: ["REDIS_PORT": "", "REDIS_PASSWORD": ""])
    #expect(values.integer("REDIS_PORT") == 6379)
    #expect(values.text("REDIS_PASSWORD") == nil)
  }

  @Test func `all problems are reported together, each by its name`() {
    let values = SettingValues(environment: [
      "GRPC_TIMEOUT": "abc", "REDIS_PORT": "70000", "REDIS_TLS": "maybe",
      "NUCLEAR_MODEL": "Nuclear", "LOG_FORMAT": "xml", "MAX_RETRY": "-1",
      "TF_MAX_BATCH_SIZE": "1.5",
    ])
    #expect(
      values.problems.sorted() == [
        "GRPC_TIMEOUT: \"abc\" is not a number",
        "LOG_FORMAT: \"xml\" is unknown; use one of json, text",
        "MAX_RETRY: -1 is not between 0 and 1000",
        "NUCLEAR_MODEL: \"Nuclear\" is not a model's name and version such as NuclearSegmentation:6",
        "REDIS_PORT: 70000 is not between 1 and 65535",
        "REDIS_TLS: \"maybe\" is not true or false",
        "TF_MAX_BATCH_SIZE: \"1.5\" is not a whole number",
      ])
  }

  @Test(arguments: ["1e+06", "1000000", "1.0e6"])
  func `whole numbers may come in the form that charts write`(text: String) {
    let values = SettingValues(environment: ["MAX_IMAGE_WIDTH": text])
    #expect(values.integer("MAX_IMAGE_WIDTH") == 1_000_000)
  }

  @Test(arguments: [("YES", true), ("on", true), ("1", true), ("False", false), ("no", false)])
  func `truth has several names`(text: String, expected: Bool) {
    #expect(SettingValues(environment: ["REDIS_TLS": text]).boolean("REDIS_TLS") == expected)
  }

  @Test func `zero means no limit`() {
    let values = SettingValues(environment: ["JOB_TIMEOUT": "1.5"])
    #expect(values.limit("TF_WAIT_TIMEOUT") == nil)
    #expect(values.limit("JOB_TIMEOUT") == .seconds(1.5))
  }

  @Test func `secrets are never shown`() {
    let values = SettingValues(environment: ["REDIS_PASSWORD": "hunter2"])
    #expect(values.text("REDIS_PASSWORD") == "hunter2")
    #expect(values.listing.contains("REDIS_PASSWORD=***"))
    #expect(!values.listing.joined().contains("hunter2"))
    #expect(values.listing.contains("REDIS_PORT=6379"))
  }

  @Test func `a flag without a value is a problem`() {
    #expect(SettingValues.parse(["--queue"]).problems == ["--queue needs a value"])
  }

  @Test(arguments: SettingsTable.all)
  func `every default is a value of its own kind`(setting: Setting) {
    let values = SettingValues(environment: [setting.name: setting.defaultText])
    #expect(values.problems.isEmpty)
    #expect(!setting.help.isEmpty)
    #expect(SettingsTable.helpText.contains(setting.flag))
  }
}

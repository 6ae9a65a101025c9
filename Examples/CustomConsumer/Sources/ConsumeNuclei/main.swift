import RedisConsumer

await ConsumerMain.run(consumers.merging(["nuclei": NucleiConsumer.self]) { $1 })

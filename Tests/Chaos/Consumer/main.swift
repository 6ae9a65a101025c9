import ConsumerMain

// `consume-redis-events` with the consumer of the chaos test.
await ConsumerMain.run(["chaos": ChaosConsumer.self])

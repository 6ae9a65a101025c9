import ConsumerMain

await ConsumerMain.run()

-- What every script begins with: who calls, what time it is, and the limits that hold.
--
-- ARGV   1 worker, 2 boot id of its process, 3 time for hashes (ISO 8601 with an offset),
--        4 lease ms, 5 crashes after which a job is given up, 6 seconds a done hash is kept,
--        7 seconds a failed one is, 8 dead letters kept, 9 ms a vanished entry is left to others,
--        10 ms a silent job is left alone (0 for ever), 11 ms a job may take (0 any);
--        the arguments of a script itself begin at 12
--
-- Leases, delays and limits are measured by the clock of Redis alone. The caller's time is only
-- written down for people.
local worker, boot, stamp = ARGV[1], ARGV[2], ARGV[3]
local lease_time, crash_limit = tonumber(ARGV[4]), tonumber(ARGV[5])
local result_ttl, failure_ttl = ARGV[6], ARGV[7]
-- Few calls need these as numbers.
local dead_letters, limbo_time, stall_time, default_timeout = ARGV[8], ARGV[9], ARGV[10], ARGV[11]

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- What is remembered of a job outlives any job but not a forgotten one: 30 days, in seconds.
local memory = '2592000'
-- What one call does at most of anything: scripts block the server.
local batch = 100

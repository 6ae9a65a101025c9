-- Takes up to n jobs from the running end of a queue.
--
-- KEYS   1 queue
-- ARGV   12 n
-- reply  state, ms until it is worth to look again or -1, number of jobs, jobs, dropped entries
--        state  ok, paused, concurrency or rate: why nothing may be taken now
--        job    key, token, status before, deliveries, attempts, ms it may take, 1 if there are
--               callbacks, number of values, then names and values of its hash, of which later ones hold
--        dropped  key, why: missing, the type of a key that is no hash, done, failed, parked,
--                 delayed, claimed, healed, canceled, crashed
--
-- Guarantees: a job gets its lease, its token, its place in the processing list and its status in
-- one step, or nothing happens. An entry without a job to do is taken off the queue, and nothing is
-- written to its hash. A job whose lease runs is not taken again however often it is pushed; one
-- that a janitor took from its owner's list goes back there. A parked or delayed job stays so. A
-- job that lost as many workers as allowed ends as failed. Due jobs are brought in first. At most
-- 100 entries are dropped in one call.
local queue = KEYS[1]
local known, wrong = survey(queue, true)
if wrong then return wrong end
return claim_jobs(queue, tonumber(ARGV[12]), known, {})

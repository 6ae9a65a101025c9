-- Makes a job: its hash first, then its place in the queue.
--
-- KEYS   1 queue, 2 job
-- ARGV   12 place: normal, urgent or delayed, 13 delay ms, 14 fingerprint or '', 15 ms it is kept,
--        16 number of values to remember, then names and values (max, base, cap, intervals,
--        timeout, callbacks), then the hash's fields and values
-- reply  {'ok', key}; {'exists', key} when there is such a key; {'duplicate', key} when the same
--        fingerprint made the job `key` before
--
-- Guarantees: a consumer that sees the key finds the hash; no existing job is overwritten; with a
-- fingerprint, blind repetitions make one job. The queue is remembered with the job. Urgent jobs run next, others last; a delayed one is
-- in no list until it is due.
local queue, job, place = KEYS[1], KEYS[2], ARGV[12]
local dedup = ARGV[14] ~= '' and key.submission .. ARGV[14]
local wrong = queue_mistyped(queue)
  or (dedup and mistyped(dedup, 'string')) or mistyped(key.control .. job, 'hash')
if wrong then return wrong end
if dedup then
  local first = redis.call('GET', dedup)
  if first and redis.call('EXISTS', first) == 1 then return {'duplicate', first} end
end
if redis.call('EXISTS', job) == 1 then return {'exists', job} end

-- Of an earlier job of this key.
redis.call('DEL', key.control .. job)
local size = tonumber(ARGV[16])
redis.call('HSET', job, unpack(ARGV, 17 + size))
remember(job, {}, 'queue', queue, unpack(ARGV, 17, 16 + size))
if dedup then redis.call('SET', dedup, job, 'PX', ARGV[15]) end
if place == 'delayed' then
  local delay = tonumber(ARGV[13])
  redis.call('EXPIRE', key.control .. job, memory + math.ceil(delay / 1000))
  redis.call('ZADD', key.delay .. queue, now + delay, job)
else
  redis.call(place == 'urgent' and 'RPUSH' or 'LPUSH', queue, job)
end
tell(queue, job, 'submitted')
count(queue, 'submitted')
return {'ok', job}

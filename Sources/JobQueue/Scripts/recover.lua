-- Puts jobs of a worker's list that it does not work on back to the queue: those of an earlier
-- process of this name, and those of a claim whose reply was lost.
--
-- KEYS   1 queue, 2 processing list of the worker, then the jobs it does work on
-- ARGV   1 worker, 2 time for the hash
-- reply  {keys that went back, keys that were dropped}
--
-- Guarantees: oldest claims run first again; ended jobs and keys without a job hash are dropped; a
-- parent that waits for its children keeps its status; jobs in work are not touched.
local queue, processing, worker, now = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local kind = redis.call('TYPE', queue).ok
if kind ~= 'none' and kind ~= 'list' then
  return redis.error_reply('WRONGTYPE ' .. queue .. ' is a ' .. kind .. ', not a list')
end
local held = {}
for i = 3, #KEYS do held[KEYS[i]] = true end

local returned, dropped = {}, {}
-- Claims enter at the head, so the oldest is pushed last, onto the running end.
for _, job in ipairs(redis.call('LRANGE', processing, 0, -1)) do
  if not held[job] then
    local status
    if redis.call('TYPE', job).ok == 'hash' then
      status = redis.call('HGET', job, 'status') or ''
    end
    redis.call('LREM', processing, 1, job)
    if not status or status == 'done' or status == 'failed' then
      dropped[#dropped + 1] = job
    else
      redis.call('RPUSH', queue, job)
      if status ~= 'waiting' then status = 'new' end
      redis.call('HSET', job, 'status', status, 'updated_at', now, 'updated_by', worker)
      redis.call('HDEL', job, 'progress')
      returned[#returned + 1] = job
    end
  end
end
return {returned, dropped}

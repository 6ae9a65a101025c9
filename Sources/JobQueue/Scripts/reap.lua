-- Takes jobs from workers that are lost, and looks after entries that vanished.
--
-- KEYS   1 queue
-- ARGV   12 ms in which one call suffices for all workers
-- reply  for each job that was looked at: key, what: requeued, canceled, timeout, crashed, limbo,
--        gone, ended, found; nothing when another worker was here just now
--
-- Guarantees: a job whose lease has ended goes back to the running end as it was before its claim,
-- or ends: cancelled, over its time, or after too many crashes. An entry that is not in its
-- worker's list any more was taken by somebody who may be about to push it, so it is left alone
-- for a while; if the job is then in no queue, without a lease, not ended and in nobody's list, it
-- goes back too. Lists are touched only where our own claims put the entry. Brings due jobs in,
-- trims what has an age limit. At most 100 jobs of each kind a call.
local queue = KEYS[1]
local lease, limbo = key.lease .. queue, key.limbo .. queue
-- Trims what has an age limit. Of another type it is the concern of those who need it.
local function trim()
  redis.pcall('ZREMRANGEBYSCORE', key.dead .. queue, '-inf', now - memory * 1000)
  redis.pcall('ZREMRANGEBYSCORE', key.workers .. queue, '-inf', now - 3600000)
end

-- An idle queue has none of these.
if redis.call('EXISTS', lease, limbo, key.delay .. queue) == 0 then
  trim()
  return {}
end
local wrong = queue_mistyped(queue) or mistyped(key.reaper .. queue, 'string')
if wrong then return wrong end
local interval = tonumber(ARGV[12])
if interval > 0
  and not redis.call('SET', key.reaper .. queue, worker, 'NX', 'PX', interval) then
  return {}
end

local answer = {}
local function say(job, what)
  answer[#answer + 1], answer[#answer + 2] = job, what
end

local function requeue(job, control, status)
  if control.cancel then
    settle_canceled(queue, job, control)
    return 'canceled'
  end
  local deadline = tonumber(control.deadline)
  if deadline and deadline <= now then
    settle(queue, job, control, 'failed', failure('timeout',
      'Timeout: the job took longer than it may, and its worker did not stop it'))
    return 'timeout'
  end
  if tonumber(control.deliveries or 0) >= crash_limit then
    settle_crashed(queue, job, control)
    return 'crashed'
  end
  give_back(queue, job, control, status, false)
  tell(queue, job, 'requeued')
  count(queue, 'requeued')
  return 'requeued'
end

for _, job in ipairs(redis.call('ZRANGEBYSCORE', lease, '-inf', now, 'LIMIT', 0, batch)) do
  local control = recall(job)
  local status = status_of(job)
  local removed = remove_entry(queue, control.worker, job)
  redis.call('ZREM', lease, job)
  if not status then
    forget(queue, job, control)
    say(job, 'gone')
  elseif final[status] then
    end_elsewhere(queue, job, control, status)
    say(job, 'ended')
  elseif removed == 0 then
    disown(job, control)
    redis.call('ZADD', limbo, now + limbo_time, job)
    tell(queue, job, 'limbo')
    say(job, 'limbo')
  else
    say(job, requeue(job, control, status))
  end
end

for _, job in ipairs(redis.call('ZRANGEBYSCORE', limbo, '-inf', now, 'LIMIT', 0, batch)) do
  redis.call('ZREM', limbo, job)
  local control = recall(job)
  local seen = redis.pcall('HMGET', job, 'status', 'updated_by')
  local status = status_of(job)
  local holder = status and seen[2] and redis.pcall('LPOS', list_key(queue, seen[2]), job)
  if not status then
    forget(queue, job, control)
    say(job, 'gone')
  elseif final[status] then
    if not control.done then end_elsewhere(queue, job, control, status) end
    say(job, 'ended')
  elseif redis.call('ZSCORE', lease, job) or redis.call('ZSCORE', key.parked .. queue, job)
    or redis.call('ZSCORE', key.delay .. queue, job) or redis.call('LPOS', queue, job) then
    say(job, 'found')
  elseif type(holder) == 'number' then
    -- A consumer without leases works on it, and may take as long again.
    redis.call('ZADD', limbo, now + math.max(limbo_time, lease_time), job)
  else
    say(job, requeue(job, control, status))
  end
end

promote(queue)
trim()
return answer

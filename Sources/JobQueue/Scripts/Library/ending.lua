-- How a job ends: once, with everything that goes with it in the same step.
local announced = {done = 'done', failed = 'failed', canceled = 'failed'}

-- Puts a parent back to work after its children.
local function unpark(queue, parent)
  redis.call('ZREM', key.parked .. queue, parent)
  redis.call('RPUSH', queue, parent)
  tell(queue, parent, 'unparked')
end

-- Tells a parent that one of its children has ended. One that is not parked is at work and looks
-- for itself.
local function tell_parent(job, parent, queue, outcome)
  local kids = key.kids .. parent
  -- Not the child's fault: reconcile finds the parent once the keys are put right.
  if mistyped(kids, 'set') or queue_mistyped(queue) then return end
  if redis.call('SREM', kids, job) == 0 then return end
  local status = status_of(parent)
  if not status or final[status] then return end

  local left = redis.call('SCARD', kids)
  local memo = recall(parent)
  if outcome ~= 'done' then remember(parent, memo, 'kid_failed', '1') end
  if not redis.call('ZSCORE', key.parked .. queue, parent) then return end
  local total = math.max(tonumber(memo.children) or 0, left + 1)
  local share = tonumber(memo.share) or 100
  local percent = math.floor(share * (total - left) / total + 0.5)
  if percent > (tonumber(memo.percent) or -1) then
    remember(parent, memo, 'percent', percent)
    redis.call('HSET', parent, 'progress', percent, 'updated_at', stamp, 'updated_by', worker)
    tell(queue, parent, 'progress', 'progress', percent)
  end
  if left == 0 or (memo.policy == 'fail-fast' and outcome ~= 'done') then
    unpark(queue, parent)
  end
end

-- Tells all that wait for a job that it has ended, one way or another.
local function tell_parents(job, control, outcome)
  if not control.parent then return end
  for _, one in ipairs(parents_of(control)) do tell_parent(job, one[1], one[2], outcome) end
end

-- Notes what is to be sent to those who asked. The id is the same each time the same end is told,
-- so that a receiver can drop a repetition; the end of a job that was let run again is another one.
local function note_callbacks(queue, job, control, outcome)
  if not control.callbacks then return end
  local readable, callbacks = pcall(cjson.decode, control.callbacks)
  if not readable or type(callbacks) ~= 'table' then return end
  redis.call('ZREMRANGEBYSCORE', key.callbacks, '-inf', now - failure_ttl * 1000)
  local told = redis.call('HMGET', job, 'output_url', 'reason', 'error_code', 'requeued')
  local run = (tonumber(told[4]) or 0) > 0 and ':run' .. told[4] + 1 or ''
  for i = 1, math.min(#callbacks, 10) do
    local url = callbacks[i]
    if type(url) == 'string' then
      local id = job .. ':' .. outcome .. (i > 1 and ':' .. i or '') .. run
      local body = key.callback .. id
      redis.call('DEL', body)
      redis.call('HSET', body, 'url', url, 'event', outcome, 'job', job, 'queue', queue,
        'status', announced[outcome], 'at', stamp, 'output_url', told[1] or '',
        'reason', told[2] or '', 'error_code', told[3] or '', 'tries', 0)
      redis.call('EXPIRE', body, failure_ttl)
      redis.call('ZADD', key.callbacks, now, id)
    end
  end
end

-- Cancels what a parent that has ended still waits for; see canceling.
local cancel_kids

-- Leaves the rest of them to reconcile.
local function leave_kids(queue, job, control)
  if control.children and redis.call('EXISTS', key.kids .. job) == 1 then
    redis.call('ZADD', key.parked .. queue, 0, job)
  end
end

-- Keeps of a job that has ended what may still be asked for: the token of a report that may come
-- again, its queue, and for requeue what it was submitted with and who waited for it. A job that
-- failed is likely to run again and keeps it as long as its hash lives; others for an hour.
local function close(queue, job, control, outcome, token)
  local memo = key.control .. job
  local kept = {'done', token or '-', 'queue', queue}
  if control.max or control.timeout or control.callbacks or control.parent then
    for _, name in ipairs(lasting) do
      if control[name] then kept[#kept + 1], kept[#kept + 2] = name, control[name] end
    end
  end
  redis.call('DEL', memo)
  redis.call('HSET', memo, unpack(kept))
  local lifetime = '3600'
  if outcome ~= 'done' then
    lifetime = redis.call('TTL', job)
    if lifetime < 0 then lifetime = tonumber(failure_ttl) end
    lifetime = math.max(3600, math.min(lifetime, tonumber(memory)))
  end
  redis.call('EXPIRE', memo, lifetime)
end

-- Writes the end of a job whose entry has been taken off its list.
--
-- `outcome` is done, failed or canceled, `fields` flat names and values, `token` of the worker that
-- may send this again without a reply.
local function settle(queue, job, control, outcome, fields, token)
  local status = announced[outcome]
  local size = #fields
  fields[size + 1], fields[size + 2] = 'status', status
  fields[size + 3], fields[size + 4] = 'finished_at', stamp
  fields[size + 5], fields[size + 6] = 'updated_at', stamp
  fields[size + 7], fields[size + 8] = 'updated_by', worker
  redis.call('HSET', job, unpack(fields))
  -- A client's own time is neither lengthened nor removed.
  local ttl = outcome == 'done' and result_ttl or failure_ttl
  if redis.REDIS_VERSION_NUM then
    -- 7.0 and later, which know NX.
    redis.call('EXPIRE', job, ttl, 'NX')
  elseif redis.call('TTL', job) == -1 then
    redis.call('EXPIRE', job, ttl)
  end

  redis.call('ZREM', key.lease .. queue, job)
  close(queue, job, control, outcome, token)
  if outcome == 'failed' then
    redis.call('ZADD', key.dead .. queue, now, job)
    redis.call('ZREMRANGEBYRANK', key.dead .. queue, 0, -dead_letters - 1)
  end
  note_callbacks(queue, job, control, outcome)
  tell(queue, job, outcome)
  count(queue, outcome)
  if control.children then
    cancel_kids(job, outcome == 'canceled' and control.cancel or 'its parent')
    leave_kids(queue, job, control)
  end
  tell_parents(job, control, outcome)
end

local function failure(code, sentence)
  return {'error_code', code, 'reason', sentence}
end

-- The end of a job whose worker was lost too often.
local function settle_crashed(queue, job, control, token)
  settle(queue, job, control, 'failed', failure('lost_worker', 'LostWorker: the job was given up '
    .. 'after ' .. (control.deliveries or '?') .. ' workers stopped while working on it, the last '
    .. 'one ' .. (control.worker or control.last_worker or 'unknown')), token)
end

local function settle_canceled(queue, job, control, token)
  local fields = failure('canceled', 'Canceled: by ' .. (control.cancel or 'user'))
  fields[5], fields[6] = 'canceled', '1'
  settle(queue, job, control, 'canceled', fields, token)
end

-- Removes what is left of a job whose hash a client let expire. It is not made again.
local function forget(queue, job, control)
  redis.call('ZREM', key.lease .. queue, job)
  redis.call('DEL', key.control .. job)
  leave_kids(queue, job, control)
  count(queue, 'gone')
  tell(queue, job, 'gone')
  tell_parents(job, control, 'gone')
end

-- Notes that somebody who knows nothing of these keys has ended a job.
local function end_elsewhere(queue, job, control, status)
  close(queue, job, control, status, control.done)
  leave_kids(queue, job, control)
  tell_parents(job, control, status)
end

-- Gives up a job that its holder no longer has, given the answer of `holding`, and returns what the
-- holder is told.
local function lose(queue, job, control, why, status)
  if why == 'stale' then return 'lost' end
  remove_entry(queue, control.worker, job)
  if why == 'gone' then
    forget(queue, job, control)
    return 'gone'
  end
  redis.call('ZREM', key.lease .. queue, job)
  if why == 'ended' then
    end_elsewhere(queue, job, control, status)
  else
    -- Who has it may die as well.
    disown(job, control)
    redis.call('ZADD', key.limbo .. queue, now + limbo_time, job)
  end
  count(queue, 'lost')
  tell(queue, job, 'lost')
  return 'lost'
end

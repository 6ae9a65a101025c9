-- How jobs are taken from the running end of a queue. Used by claim, and by the scripts that end a
-- job and take the next one in the same call.

-- Brings due jobs to the running end, the one due first at the very end.
local function promote(queue)
  local delay = delay_key(queue)
  local due = redis.call('ZRANGEBYSCORE', delay, '-inf', now, 'LIMIT', 0, batch)
  for i = #due, 1, -1 do
    redis.call('ZREM', delay, due[i])
    local status = status_of(due[i])
    if status and not final[status] and not redis.call('ZSCORE', lease_key(queue), due[i]) then
      redis.call('RPUSH', queue, due[i])
    end
  end
  return #due
end

-- How many more jobs the queue's settings let start, at most `wanted`; if none, why, and for how many
-- ms.
local function allowance(queue, wanted)
  local config = redis.call('HMGET', config_key(queue), 'paused', 'concurrency', 'rate', 'burst')
  if config[1] then return 0, 'paused', 1000 end
  local limit = tonumber(config[2])
  if limit then
    wanted = math.min(wanted, limit - redis.call('ZCARD', lease_key(queue)))
    if wanted <= 0 then return 0, 'concurrency', 200 end
  end
  local rate = tonumber(config[3])
  if rate and rate > 0 then
    -- The generic cell rate algorithm: the key holds when the next job would be on time.
    local interval, burst = 1000 / rate, tonumber(config[4]) or 1
    local next_time = math.max(tonumber(redis.call('GET', 'kiosk:rate:' .. queue)) or 0, now)
    local allowed = math.floor((now + burst * interval - next_time) / interval + 1e-6)
    if allowed <= 0 then
      return 0, 'rate', math.max(1, math.ceil(next_time - now - (burst - 1) * interval))
    end
    wanted = math.min(wanted, allowed)
  end
  return wanted, 'ok', 0, rate and rate > 0 and 1000 / rate
end

-- Why an entry is not to be claimed, and whether it goes back to its owner's list; nil if it is.
local function judge(queue, job, state)
  local status, kind = status_of(job)
  if not status then return kind end
  if final[status] then return status end
  if state.parked and redis.call('ZSCORE', parked_key(queue), job) then return 'parked' end
  if state.delayed and redis.call('ZSCORE', delay_key(queue), job) then return 'delayed' end
  return nil, status
end

-- Moves the judged entry at the running end into the worker's list and hands the job out.
local function take(queue, job, status, control, state)
  local prev = status_before(status, control)
  local deliveries = tonumber(control.deliveries or 0) + 1
  local token = boot .. ':' .. clock[1] .. string.format('%06d', clock[2]) .. ':' .. deliveries
  local timeout = tonumber(control.timeout) or default_timeout
  local lease_end, deadline = now + lease_time, ''
  if timeout > 0 then
    -- Its worker stops it in time; this is for a worker that cannot.
    deadline = now + timeout + math.floor(lease_time / 3)
    lease_end = math.min(lease_end, deadline)
  end
  -- A lease that has ended leaves the entry where its worker died.
  remove_entry(queue, control.worker, job)
  if state.limbo then redis.call('ZREM', limbo_key(queue), job) end
  remember(job, control, 'owner', token, 'worker', worker, 'last_worker', worker, 'queue', queue,
    'prev', prev, 'deliveries', deliveries, 'deadline', deadline)
  redis.call('ZADD', lease_key(queue), lease_end, job)
  redis.call('LMOVE', queue, list_key(queue, worker), 'RIGHT', 'LEFT')
  redis.call('HSET', job, 'status', 'started', 'identity_started', worker, 'updated_at', stamp,
    'updated_by', worker)
  tell(queue, job, 'started')
  return {job, token, prev, deliveries, control.attempts or '0', timeout,
    redis.call('HGETALL', job)}
end

-- The error reply when a claim cannot be made, to be asked before the script's first write.
local function claim_mistyped(queue)
  return mistyped(list_key(queue, worker), 'list', config_key(queue), 'hash',
    'kiosk:rate:' .. queue, 'string')
end

-- Takes up to `wanted` jobs.
--
-- Returns {state, ms until it is worth to look again (-1 unknown), jobs, dropped}; a job is {key,
-- token, status before, deliveries, attempts, ms it may take, flat fields}, a dropped entry {key,
-- why}.
local function claim_jobs(queue, wanted)
  promote(queue)
  local allowed, state, wait, interval = allowance(queue, wanted)
  local claimed, dropped = {}, {}
  if allowed <= 0 then return {state, wait, claimed, dropped} end

  local lease = lease_key(queue)
  local busy = {
    delayed = redis.call('ZCARD', delay_key(queue)) > 0,
    parked = redis.call('ZCARD', parked_key(queue)) > 0,
    limbo = redis.call('ZCARD', limbo_key(queue)) > 0,
  }
  for _ = 1, batch + allowed do
    if #claimed == allowed then break end
    local job = redis.call('LINDEX', queue, -1)
    if not job then break end
    local why, status = judge(queue, job, busy)
    if why then
      redis.call('RPOP', queue)
      dropped[#dropped + 1] = {job, why}
    else
      local control = recall(job)
      local lease_end = control.owner and redis.call('ZSCORE', lease, job)
      if lease_end and tonumber(lease_end) > now then
        -- Pushed twice, or taken from its owner's list by a janitor.
        local entry = redis.pcall('LPOS', list_key(queue, control.worker), job)
        redis.call('RPOP', queue)
        if not entry then
          heal(queue, job, control, 'nowhere')
          dropped[#dropped + 1] = {job, 'healed'}
        else
          dropped[#dropped + 1] = {job, 'claimed'}
        end
      elseif control.cancel or tonumber(control.deliveries or 0) >= crash_limit then
        redis.call('RPOP', queue)
        remove_entry(queue, control.worker, job)
        if busy.limbo then redis.call('ZREM', limbo_key(queue), job) end
        if control.cancel then
          settle_canceled(queue, job, control)
          dropped[#dropped + 1] = {job, 'canceled'}
        else
          settle_crashed(queue, job, control)
          dropped[#dropped + 1] = {job, 'crashed'}
        end
      else
        claimed[#claimed + 1] = take(queue, job, status, control, busy)
      end
    end
  end

  if #claimed > 0 then
    redis.call('HINCRBY', stat_key(queue), 'claimed', #claimed)
    if interval then
      local rate = 'kiosk:rate:' .. queue
      local next_time = math.max(tonumber(redis.call('GET', rate)) or 0, now) + #claimed * interval
      redis.call('SET', rate, string.format('%.3f', next_time), 'PX',
        math.ceil(next_time - now) + 1000)
    end
  end
  local due = redis.call('ZRANGE', delay_key(queue), 0, 0, 'WITHSCORES')[2]
  return {'ok', due and math.max(0, due - now) or -1, claimed, dropped}
end

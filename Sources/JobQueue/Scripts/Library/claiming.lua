-- How jobs are taken from the running end of a queue. Used by claim, and by the scripts that end a
-- job and take the next one in the same call.

-- What an end and a claim need to know of a queue, or nil and an error reply. To be asked before
-- the script's first write: these scripts run for every job, and reading a key is the cheapest way
-- to learn that it has another type.
--
-- With it comes the entry at the running end, which holds until something is pushed there or taken
-- away: `tail`, false if there is none. For a script that `only_claims` an empty queue is all there
-- is to know.
local function survey(queue, only_claims)
  local known = {burst = 1, next_time = now}
  local tail = redis.pcall('LINDEX', queue, '-1')
  if type(tail) == 'table' then return nil, queue_mistyped(queue) end
  -- A queue seldom has any of these, which one call tells.
  local special = redis.call('EXISTS', key.config .. queue, key.delay .. queue,
    key.parked .. queue, key.limbo .. queue) > 0
  if special then
    local config = redis.pcall('HMGET', key.config .. queue, 'paused', 'concurrency', 'rate', 'burst')
    local due = redis.pcall('ZRANGE', key.delay .. queue, 0, 0, 'WITHSCORES')
    local parked = redis.pcall('ZCARD', key.parked .. queue)
    local limbo = redis.pcall('ZCARD', key.limbo .. queue)
    local rate = config[3] and redis.pcall('GET', key.rate .. queue)
    if config.err or due.err or type(parked) ~= 'number' or type(limbo) ~= 'number'
      or type(rate) == 'table' then
      return nil, queue_mistyped(queue)
        or mistyped(key.config .. queue, 'hash', key.rate .. queue, 'string')
    end
    known = {paused = config[1], concurrency = tonumber(config[2]), rate = tonumber(config[3]),
      burst = tonumber(config[4]) or 1, next_time = math.max(tonumber(rate) or 0, now),
      delayed = due[1] and true, parked = parked > 0, limbo = limbo > 0,
      due = due[2] and tonumber(due[2])}
  end
  known.tail = tail
  if only_claims and not special and not tail then return known end
  -- Asks what answers with a number, since the reply of TYPE is a table.
  if type(redis.pcall('ZCARD', key.lease .. queue)) ~= 'number'
    or type(redis.pcall('LLEN', list_key(queue, worker))) ~= 'number'
    or type(redis.pcall('XLEN', key.event .. queue)) ~= 'number'
    or type(redis.pcall('HLEN', key.stat .. queue)) ~= 'number'
    or type(redis.pcall('ZCARD', key.dead .. queue)) ~= 'number'
    or type(redis.pcall('ZCARD', key.callbacks)) ~= 'number' then
    return nil, queue_mistyped(queue) or mistyped(list_key(queue, worker), 'list')
  end
  return known
end

-- Brings due jobs to the running end, the one due first at the very end.
local function promote(queue)
  local delay = key.delay .. queue
  local due = redis.call('ZRANGEBYSCORE', delay, '-inf', now, 'LIMIT', 0, batch)
  for i = #due, 1, -1 do
    redis.call('ZREM', delay, due[i])
    local status = status_of(due[i])
    if status and not final[status] and not redis.call('ZSCORE', key.lease .. queue, due[i]) then
      redis.call('RPUSH', queue, due[i])
    end
  end
end

-- How many more jobs the queue's settings let start, at most `wanted`; if none, why, and for how
-- many ms; else 'ok' and -1.
local function allowance(queue, wanted, known)
  if known.paused then return 0, 'paused', 1000 end
  if known.concurrency then
    wanted = math.min(wanted, known.concurrency - redis.call('ZCARD', key.lease .. queue))
    if wanted <= 0 then return 0, 'concurrency', 200 end
  end
  if known.rate and known.rate > 0 then
    -- The generic cell rate algorithm: the key holds when the next job would be on time.
    local interval = 1000 / known.rate
    local allowed = math.floor((now - known.next_time) / interval + known.burst + 1e-6)
    if allowed <= 0 then
      return 0, 'rate', math.max(1, math.ceil(known.next_time - now - (known.burst - 1) * interval))
    end
    wanted = math.min(wanted, allowed)
  end
  return wanted, 'ok', -1
end

-- Why an entry is not to be claimed; or nil, the status of its job and its fields.
local function judge(queue, job, known)
  local fields = redis.pcall('HGETALL', job)
  if fields.err or #fields == 0 then
    local kind = redis.call('TYPE', job).ok
    return kind == 'none' and 'missing' or kind
  end
  local status = ''
  for i = 1, #fields, 2 do
    if fields[i] == 'status' then
      status = fields[i + 1]
      break
    end
  end
  if final[status] then return status end
  if known.parked and redis.call('ZSCORE', key.parked .. queue, job) then return 'parked' end
  if known.delayed and redis.call('ZSCORE', key.delay .. queue, job) then return 'delayed' end
  return nil, status, fields
end

-- Moves the judged entry at the running end into the worker's list and adds the job to the reply.
local function take(queue, job, status, fields, control, known, reply)
  local prev = status_before(status, control)
  local deliveries = string.format('%d', (control.deliveries or 0) + 1)
  local token = boot .. ':' .. clock[1] .. string.format('%06d', clock[2]) .. ':' .. deliveries
  local timeout = tonumber(control.timeout) or tonumber(default_timeout)
  local lease_end, deadline = now + lease_time, ''
  if timeout > 0 then
    -- Its worker stops it in time; this is for a worker that cannot.
    deadline = now + timeout + math.floor(lease_time / 3)
    lease_end = math.min(lease_end, deadline)
  end
  -- A lease that has ended leaves the entry where its worker died.
  remove_entry(queue, control.worker, job)
  if known.limbo then redis.call('ZREM', key.limbo .. queue, job) end
  remember(job, control, 'owner', token, 'worker', worker, 'last_worker', worker, 'queue', queue,
    'prev', prev, 'deliveries', deliveries, 'deadline', deadline)
  -- As text: what a call gets as a number is formatted the slow way, with 17 digits.
  redis.call('ZADD', key.lease .. queue, string.format('%d', lease_end), job)
  redis.call('LMOVE', queue, list_key(queue, worker), 'RIGHT', 'LEFT')
  redis.call('HSET', job, 'status', 'started', 'identity_started', worker, 'updated_at', stamp,
    'updated_by', worker)
  tell(queue, job, 'started')

  local size, count = #reply, #fields
  reply[size + 1], reply[size + 2], reply[size + 3] = job, token, prev
  reply[size + 4], reply[size + 5], reply[size + 6] = deliveries, control.attempts or '0', timeout
  reply[size + 7] = (control.callbacks and 1 or 0) + (control.parent and 2 or 0)
  reply[size + 8] = count + 8
  size = size + 8
  for i = 1, count do reply[size + i] = fields[i] end
  size = size + count
  reply[size + 1], reply[size + 2] = 'status', 'started'
  reply[size + 3], reply[size + 4] = 'identity_started', worker
  reply[size + 5], reply[size + 6] = 'updated_at', stamp
  reply[size + 7], reply[size + 8] = 'updated_by', worker
end

-- Takes up to `wanted` jobs, given what `survey` answered, and adds to the reply of a script:
-- state, ms until it is worth to look again (-1 unknown), number of jobs, of each its key, token,
-- status before, deliveries, attempts, ms it may take, 1 if there are callbacks plus 2 if a
-- parent waits for it, number of values, names and values of its hash, of which later ones hold; then of
-- each dropped entry its key and why. Flat, because each table in a reply costs as much as a command.
local function claim_jobs(queue, wanted, known, reply)
  if known.due and known.due <= now then
    promote(queue)
    known.tail = nil
  end
  local allowed, state, wait = allowance(queue, wanted, known)
  local head = #reply
  reply[head + 1], reply[head + 2], reply[head + 3] = state, wait, 0
  if allowed <= 0 then return reply end

  local lease = key.lease .. queue
  local claimed, dropped = 0, {}
  local function drop(job, why)
    dropped[#dropped + 1], dropped[#dropped + 2] = job, why
  end
  for _ = 1, batch + allowed do
    if claimed == allowed then break end
    local job = known.tail
    if job == nil then job = redis.call('LINDEX', queue, '-1') end
    known.tail = nil
    if not job then break end
    local why, status, fields = judge(queue, job, known)
    if why then
      redis.call('RPOP', queue)
      drop(job, why)
    else
      local control = recall(job)
      local lease_end = control.owner and redis.call('ZSCORE', lease, job)
      if lease_end and tonumber(lease_end) > now then
        -- Pushed twice, or taken from its owner's list by a janitor.
        local entry = redis.pcall('LPOS', list_key(queue, control.worker), job)
        redis.call('RPOP', queue)
        if not entry then
          heal(queue, job, control, 'nowhere')
          drop(job, 'healed')
        else
          drop(job, 'claimed')
        end
      elseif control.cancel or tonumber(control.deliveries or 0) >= crash_limit then
        redis.call('RPOP', queue)
        remove_entry(queue, control.worker, job)
        if known.limbo then redis.call('ZREM', key.limbo .. queue, job) end
        if control.cancel then
          settle_canceled(queue, job, control)
          drop(job, 'canceled')
        else
          settle_crashed(queue, job, control)
          drop(job, 'crashed')
        end
      else
        take(queue, job, status, fields, control, known, reply)
        claimed = claimed + 1
      end
    end
  end

  if claimed > 0 then
    redis.call('HINCRBY', key.stat .. queue, 'claimed', claimed)
    if known.rate and known.rate > 0 then
      local next_time = known.next_time + claimed * 1000 / known.rate
      redis.call('SET', key.rate .. queue, string.format('%.3f', next_time), 'PX',
        math.ceil(next_time - now) + 1000)
    end
  end
  local due = known.delayed and redis.call('ZRANGE', key.delay .. queue, 0, 0, 'WITHSCORES')[2]
  if due then reply[head + 2] = math.max(0, due - now) end
  reply[head + 3] = claimed
  for i = 1, #dropped do reply[#reply + 1] = dropped[i] end
  return reply
end

-- Ends an execution that failed: the job is tried again, or ends as failed. Takes the next ones.
--
-- KEYS   1 queue, 2 job
-- ARGV   12 token, 13 class: input, transient or capacity, 14 chance 0...1, 15 attempts allowed,
--        16 base ms, 17 cap ms, 18 jobs to take, 19 reason, 20 error code, then fields and values
-- reply  answer, delay ms, then as finish; answer is 'failed' for good, 'retry' after
--        the delay, 'released' to the queue, 'canceled', or as for finish
--
-- Guarantees: input is never tried again; transient while attempts are left, after
-- chance * min(cap, base * 2^(attempt - 1)), or after the job's or queue's own intervals; capacity
-- goes back to the waiting end and spends neither an attempt nor a delivery, nor is it delayed, so
-- that those who scale model servers see it. A job that is tried again has the status it had
-- before its claim. A final failure is a dead letter. All else is as for finish.
local queue, job, token, class = KEYS[1], KEYS[2], ARGV[12], ARGV[13]
local known, wrong = survey(queue)
if wrong then return wrong end
local control = recall(job)
if control.done == token then return {'again', 0} end
known.tail = nil
local state, place = holding(queue, job, control, token)

-- The pause before retry `number` of `retries`. Of explicit intervals the first is repeated when
-- there are fewer than retries, so that the last ones are as given.
local function pause(number, retries, policy)
  if policy.intervals and policy.intervals ~= '' then
    local intervals = {}
    for ms in string.gmatch(policy.intervals, '%d+') do intervals[#intervals + 1] = tonumber(ms) end
    if #intervals > 0 then
      return intervals[math.max(1, number - math.max(0, retries - #intervals))] or
        intervals[#intervals]
    end
  end
  local base, cap = policy.base, policy.cap
  return math.floor(tonumber(ARGV[14]) * math.min(cap, base * 2 ^ math.min(number - 1, 40)))
end

local answer, delay = nil, 0
if state ~= 'ok' then
  answer = lose(queue, job, control, state, place)
  count(queue, 'refused')
else
  local config = redis.call('HMGET', key.config .. queue, 'max', 'base', 'cap', 'intervals')
  local policy = {
    max = tonumber(control.max or config[1]) or tonumber(ARGV[15]),
    base = tonumber(control.base or config[2]) or tonumber(ARGV[16]),
    cap = tonumber(control.cap or config[3]) or tonumber(ARGV[17]),
    intervals = control.intervals or config[4] or nil,
  }
  local attempts = tonumber(control.attempts or 0)
  local status = redis.call('HGET', job, 'status')
  take_entry(queue, job, control, place)

  if control.cancel then
    settle_canceled(queue, job, control, token)
    answer = 'canceled'
  elseif class == 'capacity' or (class == 'transient' and attempts + 1 < policy.max) then
    redis.call('ZREM', key.lease .. queue, job)
    if class == 'capacity' then
      give_back(queue, job, control, status, true, 'LPUSH')
      redis.call('HINCRBY', key.control .. job, 'waits', 1)
      answer = 'released'
    else
      attempts = attempts + 1
      delay = pause(attempts, policy.max - 1, policy)
      -- Not through the queue: until then it is meant to be invisible to those who count jobs.
      disown(job, control)
      remember(job, control, 'attempts', attempts,
        'deliveries', math.max(0, tonumber(control.deliveries or 1) - 1))
      redis.call('HSET', job, 'status', status_before(status, control), 'attempts', attempts,
        'updated_at', stamp, 'updated_by', worker)
      redis.call('HDEL', job, 'progress')
      redis.call('ZADD', key.delay .. queue, now + delay, job)
      known.delayed = true
      answer = 'retry'
    end
    redis.call('HSET', job, 'last_error', ARGV[19])
    tell(queue, job, answer, 'error_code', ARGV[20])
    count(queue, answer)
  else
    local fields = {unpack(ARGV, 21)}
    local size = #fields
    fields[size + 1], fields[size + 2] = 'reason', ARGV[19]
    fields[size + 3], fields[size + 4] = 'error_code', ARGV[20]
    fields[size + 5], fields[size + 6] = 'attempts', attempts + 1
    settle(queue, job, control, 'failed', fields, token)
    answer = 'failed'
  end
end

local wanted = tonumber(ARGV[18])
if wanted == 0 then return {answer, delay} end
return claim_jobs(queue, wanted, known, {answer, delay})

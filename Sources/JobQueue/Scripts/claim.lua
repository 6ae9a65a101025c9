-- Takes up to n jobs from the running end of a queue.
--
-- KEYS   1 queue, 2 processing list of the worker
-- ARGV   1 n, 2 worker, 3 time for the hash
-- reply  {claimed, dropped}: claimed = {{key, status before, flat fields}, ...},
--        dropped = {{key, why}, ...}
--
-- Guarantees: a key moves to the processing list and its hash says so in one step, or nothing
-- happens. Keys without a job hash, jobs that have ended and jobs this worker has in hand already
-- are dropped and not written to: a hash made here would have no expiry and no owner. Scripts are
-- not rolled back, so everything that can be refused is looked at before the first write.
local queue, processing = KEYS[1], KEYS[2]
local count, worker, now = tonumber(ARGV[1]), ARGV[2], ARGV[3]

local kind = redis.call('TYPE', processing).ok
if kind ~= 'none' and kind ~= 'list' then
  return redis.error_reply('WRONGTYPE ' .. processing .. ' is a ' .. kind .. ', not a list')
end

local claimed, dropped = {}, {}
for _ = 1, 100 + count do
  if #claimed == count then break end
  local key = redis.call('LINDEX', queue, -1)
  if not key then break end

  local why
  kind = redis.call('TYPE', key).ok
  local status
  if kind == 'none' then
    why = 'missing'
  elseif kind ~= 'hash' then
    why = kind
  else
    status = redis.call('HGET', key, 'status') or ''
    if status == 'done' or status == 'failed' then
      why = status
    elseif redis.call('LPOS', processing, key) then
      why = 'claimed'
    end
  end

  if why then
    redis.call('RPOP', queue)
    dropped[#dropped + 1] = {key, why}
  else
    redis.call('LMOVE', queue, processing, 'RIGHT', 'LEFT')
    redis.call('HSET', key, 'status', 'started', 'identity_started', worker,
      'updated_at', now, 'updated_by', worker)
    claimed[#claimed + 1] = {key, status, redis.call('HGETALL', key)}
  end
end
return {claimed, dropped}

-- Writes fields and log lines of a job in hand.
--
-- KEYS   1 queue, 2 job
-- ARGV   12 token, 13 number of log lines, then the lines, then fields and values
-- reply  'ok'; 'canceled' when it was written and the job is to be stopped; 'lost'; 'gone'
--
-- Guarantees: a worker that no longer has the job writes nothing, and a hash that a client let
-- expire is not made again. What changes for its owner, status and progress, is also an event.
local queue, job = KEYS[1], KEYS[2]
local log = key.log .. job
local wrong = mistyped(key.event .. queue, 'stream', key.stat .. queue, 'hash', log, 'stream',
  list_key(queue, worker), 'list')
if wrong then return wrong end
local first = 14 + tonumber(ARGV[13])
for i = first, #ARGV, 2 do
  if ARGV[i] == 'status' and final[ARGV[i + 1]] then
    return redis.error_reply('ERR a job ends by finish or fail, not by update')
  end
end
local control = recall(job)
local state, place = holding(queue, job, control, ARGV[12])
if state ~= 'ok' then return queue_mistyped(queue) or lose(queue, job, control, state, place) end

heal(queue, job, control, place)
for i = 14, first - 1 do
  redis.call('XADD', log, 'MAXLEN', '~', 1000, '*', 'line', ARGV[i])
end
if first > 14 then redis.call('EXPIRE', log, failure_ttl) end
redis.call('HSET', job, 'updated_at', stamp, 'updated_by', worker, unpack(ARGV, first))
for i = first, #ARGV, 2 do
  if ARGV[i] == 'status' then
    tell(queue, job, ARGV[i + 1])
  elseif ARGV[i] == 'progress' then
    tell(queue, job, 'progress', 'progress', ARGV[i + 1])
  end
end
return control.cancel and 'canceled' or 'ok'

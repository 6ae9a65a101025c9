-- Shows that a process is alive, renews the leases of its jobs, and tells it which to stop.
--
-- KEYS   1 queue
-- ARGV   12 seconds its card is kept, 13 number of card values, then the card's fields and values,
--        then for each job: key, token, ms since it last gave a sign of life
-- reply  for each job that is not simply to go on: key, what: lost, gone, canceled, timeout,
-- stalled
--
-- Guarantees: a lease is renewed only for the token that holds it, never past the job's deadline,
-- and not for a job that has been silent too long, whose handler then hangs although its process is
-- alive. An entry that a janitor took is put back while nobody else works on the job. At most 100
-- jobs a call.
local queue = KEYS[1]
local card, cards = key.card .. worker, key.workers .. queue
local size = tonumber(ARGV[13])
local wrong = mistyped(card, 'hash', cards, 'zset')
-- An idle worker's heartbeat touches nothing else.
if not wrong and #ARGV > 13 + size then
  wrong = queue_mistyped(queue) or mistyped(list_key(queue, worker), 'list')
end
if wrong then return wrong end

if size > 0 then
  redis.call('HSET', card, unpack(ARGV, 14, 13 + size))
  redis.call('EXPIRE', card, ARGV[12])
  redis.call('ZADD', cards, now, worker)
end

local answer = {}
local function say(job, what)
  answer[#answer + 1], answer[#answer + 2] = job, what
end
for i = 14 + size, math.min(#ARGV, 13 + size + 3 * batch), 3 do
  local job, token, silence = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local control = recall(job)
  local state, place = holding(queue, job, control, token)
  if state ~= 'ok' then
    say(job, lose(queue, job, control, state, place))
  else
    heal(queue, job, control, place)
    local deadline = tonumber(control.deadline)
    if control.cancel then say(job, 'canceled') end
    if deadline and deadline <= now then
      say(job, 'timeout')
    elseif stall_time ~= '0' and silence >= tonumber(stall_time) then
      say(job, 'stalled')
    else
      redis.call('ZADD', key.lease .. queue, math.min(now + lease_time, deadline or math.huge), job)
      redis.call('HSET', job, 'updated_at', stamp, 'updated_by', worker)
    end
  end
end
return answer

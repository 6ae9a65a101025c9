-- Puts jobs in this worker's own list that it does not work on back to the running end.
--
-- KEYS   1 queue, then the jobs it works on
-- ARGV   none of its own
-- reply  for each entry looked at: key, what: requeued, released, canceled, crashed, ended, gone,
-- parked
--
-- Guarantees: what an earlier process of this name left behind has lost its worker and spends a
-- delivery; what this process was given by a claim whose reply it never saw spends none. Jobs in
-- work and leases of others are not touched. The oldest claims run first again. At most 100
-- entries a call.
local queue, list = KEYS[1], list_key(KEYS[1], worker)
local wrong = queue_mistyped(queue) or mistyped(list, 'list')
if wrong then return wrong end
local held = {}
for i = 2, #KEYS do held[KEYS[i]] = true end

local answer = {}
for _, job in ipairs(redis.call('LRANGE', list, 0, batch - 1)) do
  if not held[job] then
    answer[#answer + 1] = job
    local status = status_of(job)
    local control = recall(job)
    local mine = control.owner and string.sub(control.owner, 1, #boot + 1) == boot .. ':'
    local foreign = control.owner and control.worker ~= worker
    redis.call('LREM', list, 0, job)
    if foreign then
      answer[#answer + 1] = 'foreign'
    elseif not status then
      forget(queue, job, control)
      answer[#answer + 1] = 'gone'
    elseif final[status] then
      redis.call('ZREM', key.lease .. queue, job)
      answer[#answer + 1] = 'ended'
    elseif redis.call('ZSCORE', key.parked .. queue, job)
      or redis.call('ZSCORE', key.delay .. queue, job) then
      answer[#answer + 1] = 'parked'
    elseif control.cancel then
      settle_canceled(queue, job, control)
      answer[#answer + 1] = 'canceled'
    elseif not mine and tonumber(control.deliveries or 0) >= crash_limit then
      settle_crashed(queue, job, control)
      answer[#answer + 1] = 'crashed'
    else
      redis.call('ZREM', key.lease .. queue, job)
      give_back(queue, job, control, status, mine)
      local what = mine and 'released' or 'requeued'
      tell(queue, job, what)
      count(queue, what)
      answer[#answer + 1] = what
    end
  end
end
return answer

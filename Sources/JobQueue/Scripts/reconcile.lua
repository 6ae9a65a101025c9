-- Compares lists with leases, both ways, and parked parents with their children.
--
-- KEYS   1 queue
-- ARGV   none of its own
-- reply  {1 if it is worth to call again at once, key, what, ...}; what is requeued, dropped,
--        healed, lost, unparked, canceled
--
-- Guarantees: an entry in a list of a worker of ours that has no lease goes back to the queue, or
-- away if there is nothing to do for it; a lease whose entry vanished gets it back while nobody
-- else works on the job; parents are told of children that ended without telling them, because a
-- consumer without these scripts finished them or a client let them expire; children of parents
-- that have ended are cancelled. Only lists of workers with a card are touched: others belong to
-- the janitor. At most 100 workers, leases and children a call, drawn at random where there are
-- more.
local queue = KEYS[1]
local lease, parked, workers = key.lease .. queue, key.parked .. queue, key.workers .. queue
local wrong = queue_mistyped(queue) or mistyped(workers, 'zset')
if wrong then return wrong end

local answer, more, entries = {0}, false, 0
local function say(job, what)
  answer[#answer + 1], answer[#answer + 2] = job, what
end

local function check_entry(list, name, job)
  local control = recall(job)
  local status = status_of(job)
  local leased = control.owner and redis.call('ZSCORE', lease, job)
  if leased and control.worker == name and status and not final[status] then return end
  redis.call('LREM', list, 0, job)
  if not status or final[status] or leased or redis.call('ZSCORE', parked, job)
    or redis.call('ZSCORE', key.delay .. queue, job) then
    if control.worker == name then redis.call('ZREM', lease, job) end
    say(job, 'dropped')
  else
    give_back(queue, job, control, status, false)
    redis.call('ZREM', key.limbo .. queue, job)
    tell(queue, job, 'requeued')
    count(queue, 'requeued')
    say(job, 'requeued')
  end
end

for _, name in ipairs(redis.call('ZRANDMEMBER', workers, batch)) do
  local list = list_key(queue, name)
  if redis.call('EXISTS', key.card .. name) == 1 and not mistyped(list, 'list') then
    for _, job in ipairs(redis.call('LRANGE', list, 0, batch - 1 - entries)) do
      entries = entries + 1
      check_entry(list, name, job)
    end
    if entries >= batch then break end
  end
end

for _, job in ipairs(redis.call('ZRANDMEMBER', lease, batch)) do
  local control = recall(job)
  local lease_end = tonumber(redis.call('ZSCORE', lease, job)) or 0
  if lease_end > now and control.owner
    and not mistyped(list_key(queue, control.worker), 'list') then
    local state, place = holding(queue, job, control, control.owner)
    if state ~= 'ok' then
      lose(queue, job, control, state, place)
      say(job, 'lost')
    elseif place ~= 'list' then
      heal(queue, job, control, place)
      say(job, 'healed')
    end
  end
end

local left = batch
for _, parent in ipairs(redis.call('ZRANGE', parked, 0, 19)) do
  if left <= 0 then break end
  local kids, status, control = key.kids .. parent, status_of(parent), recall(parent)
  if mistyped(kids, 'set') then
    redis.call('DEL', kids)
  end
  if not status or final[status] then
    local done = cancel_kids(parent, 'its parent')
    left = left - done
    if redis.call('EXISTS', kids) == 0 then
      redis.call('ZREM', parked, parent)
      if not status then redis.call('DEL', key.control .. parent) end
    else
      more = true
    end
    if done > 0 then say(parent, 'canceled') end
  else
    local failed = false
    for _, kid in ipairs(redis.call('SRANDMEMBER', kids, left)) do
      left = left - 1
      local kid_status = status_of(kid)
      if not kid_status or final[kid_status] then
        redis.call('SREM', kids, kid)
        failed = failed or kid_status ~= 'done'
        more = true
        local memo = recall(kid)
        if not kid_status then
          redis.call('DEL', key.control .. kid)
        elseif not memo.done and memo.queue and not queue_mistyped(memo.queue) then
          end_elsewhere(memo.queue, kid, memo, kid_status)
        end
      end
    end
    redis.call('ZADD', parked, now, parent)
    -- However long it waits; a set that nothing looks at any more expires.
    redis.call('EXPIRE', kids, memory)
    if redis.call('EXISTS', kids) == 0 or (failed and control.policy == 'fail-fast') then
      unpark(queue, parent)
      say(parent, 'unparked')
    end
  end
end
answer[1] = more and 1 or 0
return answer

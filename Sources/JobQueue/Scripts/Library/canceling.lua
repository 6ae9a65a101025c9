-- How a job is cancelled before its end: by somebody's wish, or because its parent has ended.

-- Children that this call may still look at.
local cancellations = batch

-- Cancels a job and returns what became of it: 'canceled' it has ended; 'running' its worker has
-- been told; 'ended' it was over already; 'missing' there is none; 'elsewhere' somebody who knows
-- no cancellation works on it; 'absent' it is not in this queue.
local function cancel_job(queue, job, control, by)
  local status = status_of(job)
  if not status then return 'missing' end
  if final[status] then return 'ended' end
  if control.owner and redis.call('ZSCORE', key.lease .. queue, job) then
    remember(job, control, 'cancel', by)
    redis.call('PUBLISH', key.cancellations .. queue, job)
    tell(queue, job, 'canceling')
    return 'running'
  end
  local waits = redis.call('LREM', queue, 0, job) + redis.call('ZREM', key.delay .. queue, job)
    + redis.call('ZREM', key.limbo .. queue, job) + redis.call('ZREM', key.parked .. queue, job)
  if waits == 0 and status ~= 'new' and status ~= 'waiting' then return 'elsewhere' end
  if waits == 0 and not control.queue then return 'absent' end
  control.cancel = by
  settle_canceled(queue, job, control)
  return 'canceled'
end

-- Cancels up to a batch of the children that a parent no longer waits for, and returns how many
-- were looked at. Children that run have been told and are not waited for; those that another
-- parent waits for go on.
function cancel_kids(parent, by)
  local kids = key.kids .. parent
  if cancellations == 0 or mistyped(kids, 'set') then return 0 end
  local some = redis.call('SPOP', kids, cancellations)
  cancellations = cancellations - #some
  for _, kid in ipairs(some) do
    local control = recall(kid)
    local queue, others = control.queue, {}
    for _, one in ipairs(parents_of(control)) do
      if one[1] ~= parent and not mistyped(key.kids .. one[1], 'set')
        and redis.call('SISMEMBER', key.kids .. one[1], kid) == 1 then
        others[#others + 1] = one
      end
    end
    if #others > 0 then
      set_parents(kid, control, others)
    elseif queue and not queue_mistyped(queue) then
      control.parent = nil
      cancel_job(queue, kid, control, by)
    end
  end
  return #some
end

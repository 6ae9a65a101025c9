-- How a job is cancelled before its end. Used by cancel, and by reconcile for the children of
-- parents that have ended.

-- Cancels a job and returns what became of it: 'canceled' it has ended; 'running' its worker has
-- been told; 'ended' it was over already; 'missing' there is none; 'elsewhere' somebody who knows
-- no cancellation works on it.
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
  control.cancel = by
  settle_canceled(queue, job, control)
  return 'canceled'
end

-- Cancels up to a batch of the children that a parent no longer waits for, and returns how many
-- were looked at. Children that run have been told and are not waited for.
local function cancel_kids(parent, by)
  local kids = key.kids .. parent
  local some = redis.call('SPOP', kids, batch)
  for _, kid in ipairs(some) do
    local control = recall(kid)
    local queue = control.queue
    control.parent = nil
    if queue and not queue_mistyped(queue) then cancel_job(queue, kid, control, by) end
  end
  return #some
end

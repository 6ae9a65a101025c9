-- Lets a job that has ended run again.
--
-- KEYS   1 queue, 2 job
-- ARGV   none of its own
-- reply  'ok'; 'live' it has not ended; 'missing' there is no such job
--
-- Guarantees: the only way in which a final status changes. The hash is as its producer made it,
-- with the status `new` and without an expiry; counts of attempts and crashes begin anew; the key
-- is at the waiting end of its queue, once, and no dead letter any more. A job that is remembered as
-- another queue's goes there. What it was submitted with holds again: retries, timeout, callbacks,
-- as long as it is remembered, see `close`. The field `requeued` counts this, so that a parent makes
-- its children anew and its callbacks are not taken for repetitions.
--
-- A parent that is still parked waits for the new run of its child: it has not looked at the first
-- one's outcome. A parent that goes on or has ended is not told: what it made of the first outcome
-- stands, and who wants another runs the parent again. Children of the job itself that have not
-- ended are cancelled, at most 100 of them; what others there are runs on and nobody waits for it.
local queue, job = KEYS[1], KEYS[2]
local control = recall(job)
local wrong = queue_mistyped(queue) or mistyped(key.kids .. job, 'set')
if wrong then return wrong end
local asked = queue
if control.queue and control.queue ~= queue then
  queue = control.queue
  wrong = queue_mistyped(queue)
  if wrong then return wrong end
end
local status = status_of(job)
if not status then return 'missing' end
if not final[status] or redis.call('ZSCORE', key.lease .. queue, job) then return 'live' end

local parents = {}
for _, one in ipairs(parents_of(control)) do
  local parent, its_queue = one[1], one[2]
  if not mistyped(key.kids .. parent, 'set', key.parked .. its_queue, 'zset')
    and redis.call('ZSCORE', key.parked .. its_queue, parent) then
    local parent_status = status_of(parent)
    if parent_status and not final[parent_status] then parents[#parents + 1] = one end
  end
end

cancel_kids(job, 'its parent')
redis.call('DEL', key.control .. job, key.kids .. job)
local memo = {'queue', queue}
for _, name in ipairs(lasting) do
  if control[name] and string.sub(name, 1, 6) ~= 'parent' then
    memo[#memo + 1], memo[#memo + 2] = name, control[name]
  end
end
remember(job, {}, unpack(memo))
for _, one in ipairs(parents) do
  redis.call('SADD', key.kids .. one[1], job)
  redis.call('EXPIRE', key.kids .. one[1], memory)
end
if #parents > 0 then set_parents(job, {}, parents) end
redis.call('ZREM', key.dead .. queue, job)
redis.call('ZREM', key.dead .. asked, job)
redis.call('ZREM', key.parked .. queue, job)
redis.call('LREM', queue, 0, job)
redis.call('HDEL', job, 'reason', 'error_code', 'last_error', 'attempts', 'canceled', 'finished_at',
  'progress', 'output_url', 'output_file_name', 'total_jobs', 'total_time', 'download_time',
  'prediction_time', 'postprocess_time', 'upload_time', 'predict_retries', 'cleanup_time',
  'failures', 'children', 'children:done', 'children:failed', 'children_upload_time',
  'identity_started', 'dim_order', 'partial_output_file_name', 'partial_output_url')
redis.call('HSET', job, 'status', 'new', 'updated_at', stamp, 'updated_by', worker, 'requeued',
  (tonumber(redis.call('HGET', job, 'requeued')) or 0) + 1)
redis.call('PERSIST', job)
redis.call('LPUSH', queue, job)
tell(queue, job, 'requeued')
count(queue, 'requeued_by_hand')
return 'ok'

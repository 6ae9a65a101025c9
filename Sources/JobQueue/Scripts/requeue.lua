-- Lets a job that has ended run again.
--
-- KEYS   1 queue, 2 job
-- ARGV   none of its own
-- reply  'ok'; 'live' it has not ended; 'missing' there is no such job
--
-- Guarantees: the only way in which a final status changes. The hash is as its producer made it,
-- with the status `new` and without an expiry; counts of attempts and crashes begin anew; the key
-- is at the waiting end of its queue, once, and no dead letter any more.
local queue, job = KEYS[1], KEYS[2]
local wrong = queue_mistyped(queue) or mistyped(key.kids .. job, 'set')
if wrong then return wrong end
local status = status_of(job)
if not status then return 'missing' end
if not final[status] or redis.call('ZSCORE', key.lease .. queue, job) then return 'live' end

redis.call('DEL', key.control .. job, key.kids .. job)
redis.call('ZREM', key.dead .. queue, job)
redis.call('ZREM', key.parked .. queue, job)
redis.call('LREM', queue, 0, job)
redis.call('HDEL', job, 'reason', 'error_code', 'last_error', 'attempts', 'canceled', 'finished_at',
  'progress', 'output_url', 'output_file_name', 'total_jobs', 'total_time', 'download_time',
  'prediction_time', 'postprocess_time', 'upload_time', 'predict_retries', 'cleanup_time',
  'failures', 'children', 'children:done', 'children:failed', 'children_upload_time',
  'identity_started', 'dim_order')
redis.call('HSET', job, 'status', 'new', 'updated_at', stamp, 'updated_by', worker)
redis.call('PERSIST', job)
redis.call('LPUSH', queue, job)
tell(queue, job, 'requeued')
count(queue, 'requeued_by_hand')
return 'ok'

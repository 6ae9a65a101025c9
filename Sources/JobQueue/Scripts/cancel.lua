-- Cancels a job, and the children a parked one waits for.
--
-- KEYS   1 queue, 2 job
-- ARGV   12 by whom, for the reason
-- reply  'canceled' it has ended; 'running' its worker has been told, by a message on the channel
--        kiosk:cancel:<queue> and by its next heartbeat; 'ended' it was over; 'missing';
--        'elsewhere' a consumer that knows no cancellation works on it; 'absent' no other queue is
--        known for it, and it is not in this one
--
-- Guarantees: a job that waits, is delayed or parked ends as failed at once and leaves its list or
-- set; one that runs ends as cancelled whatever becomes of its worker, unless it is done first.
-- A job that is remembered as another queue's is cancelled there. Of a parked job's children those
-- that nobody else waits for are cancelled, 100 at once, the others by reconcile.
local queue, job = KEYS[1], KEYS[2]
local control = recall(job)
local wrong = mistyped(key.kids .. job, 'set') or queue_mistyped(queue)
if wrong then return wrong end
if control.queue and control.queue ~= queue then
  queue = control.queue
  wrong = queue_mistyped(queue)
  if wrong then return wrong end
end
return cancel_job(queue, job, control, ARGV[12])

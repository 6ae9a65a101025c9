-- Puts a job in hand back to the running end of its queue, as it was before its claim.
--
-- KEYS   1 queue, 2 job
-- ARGV   12 token
-- reply  'ok'; 'canceled' when it was to be cancelled and has ended so; 'lost'; 'gone'
--
-- Guarantees: the key is in exactly one list before and after. Neither an attempt nor a delivery is
-- spent. Sent twice, because its reply was lost, it answers 'lost' and changes nothing.
local queue, job, token = KEYS[1], KEYS[2], ARGV[12]
local wrong = queue_mistyped(queue) or mistyped(list_key(queue, worker), 'list')
if wrong then return wrong end
local control = recall(job)
local state, place = holding(queue, job, control, token)
if state ~= 'ok' then return lose(queue, job, control, state, place) end

local status = redis.call('HGET', job, 'status')
take_entry(queue, job, control, place)
if control.cancel then
  settle_canceled(queue, job, control, token)
  return 'canceled'
end
redis.call('ZREM', key.lease .. queue, job)
give_back(queue, job, control, status, true)
tell(queue, job, 'released')
count(queue, 'released')
return 'ok'

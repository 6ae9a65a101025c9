-- Writes the end of a job and takes the next ones, in one step.
--
-- KEYS   1 queue, 2 job
-- ARGV   12 token, 13 outcome: done, failed or canceled, 14 jobs to take, then fields and values
-- reply  answer, then what claim answers unless no job was wanted; answer is 'ok', 'again' (this
--        call was executed before; nothing is claimed), 'lost' or 'gone'
--
-- Guarantees: clients see the final status together with everything that belongs to it, once; a
-- final status is never replaced; callbacks, dead letter, event and the parent's step are part of
-- the same step; a hash that a client let expire is not made again. Sent twice, because its reply
-- was lost, it writes once. A worker without the token changes nothing.
local queue, job, token, wanted = KEYS[1], KEYS[2], ARGV[12], tonumber(ARGV[14])
local known, wrong = survey(queue)
if wrong then return wrong end
local control = recall(job)
if control.done == token then return {'again'} end
local state, place = holding(queue, job, control, token, true)

local answer = 'ok'
if state == 'ok' then
  take_entry(queue, job, control, place)
  -- Either may change the queue's end.
  if place == 'queue' or control.parent or control.children then known.tail = nil end
  settle(queue, job, control, ARGV[13], {unpack(ARGV, 15)}, token)
else
  known.tail = nil
  answer = lose(queue, job, control, state, place)
  count(queue, 'refused')
end
if wanted == 0 then return {answer} end
return claim_jobs(queue, wanted, known, {answer})

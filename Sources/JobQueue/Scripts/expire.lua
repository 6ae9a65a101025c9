-- Lets jobs that have ended expire, such as the children of a parent that has their results.
--
-- KEYS   the jobs
-- ARGV   12 seconds from now
-- reply  how many got a new time
--
-- Guarantees: a time is set or shortened, never lengthened; a job that has not ended is left alone.
-- At most 100 jobs a call.
if #KEYS > batch then return redis.error_reply('ERR at most 100 jobs a call') end
local seconds, changed = tonumber(ARGV[12]), 0
for _, job in ipairs(KEYS) do
  if final[status_of(job)] then
    local left = redis.call('TTL', job)
    if left == -1 or left > seconds then
      redis.call('EXPIRE', job, seconds)
      changed = changed + 1
    end
  end
end
return changed

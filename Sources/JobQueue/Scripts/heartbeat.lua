-- Shows that a worker is alive and tells it which of its jobs it no longer has.
--
-- KEYS   1 processing list of the worker, then its jobs
-- ARGV   1 worker, 2 time for the hashes
-- reply  the keys of jobs that are no longer in the list, or no longer exist
--
-- Guarantees: writes only to hashes of jobs that are in the list and still exist; the others are in
-- no list afterwards.
local processing, worker, now = KEYS[1], ARGV[1], ARGV[2]
local lost = {}
for i = 2, #KEYS do
  local job = KEYS[i]
  if not redis.call('LPOS', processing, job) then
    lost[#lost + 1] = job
  elseif redis.call('TYPE', job).ok == 'hash' then
    redis.call('HSET', job, 'updated_at', now, 'updated_by', worker)
  else
    redis.call('LREM', processing, 1, job)
    lost[#lost + 1] = job
  end
end
return lost

-- Whether the holder of a token still has its job, and what is done when it has not.

-- The answer is 'ok', or why not: 'stale' the token is not the job's; 'gone' its hash no longer
-- exists; 'ended' or 'taken' somebody who knows no tokens has finished it or works on it. With 'ok'
-- comes where its entry is: 'list' or, after a janitor took it for a dead worker's, 'queue' or
-- 'nowhere'. Such an entry alone is no loss: nobody works on the job yet. With 'ended' comes the
-- final status. With `takes` an entry in the list is taken off it, which is the first write of the
-- script if it is one, and comes with 'taken' in place of 'list'.
local function holding(queue, job, control, token, takes)
  if not control.owner or control.owner ~= token then return 'stale' end
  local seen = redis.pcall('HMGET', job, 'status', 'updated_by')
  if seen.err then return 'gone' end
  if not seen[1] and not seen[2] and redis.call('EXISTS', job) == 0 then return 'gone' end
  if final[seen[1]] then return 'ended', seen[1] end
  local list = list_key(queue, control.worker)
  if takes then
    if redis.call('LREM', list, '0', job) > 0 then return 'ok', 'taken' end
  elseif redis.call('LPOS', list, job) then
    return 'ok', 'list'
  end
  if redis.call('LPOS', queue, job) then return 'ok', 'queue' end
  if seen[2] ~= control.worker then return 'taken' end
  return 'ok', 'nowhere'
end

-- Puts the entry of a held job back where peers count it.
local function heal(queue, job, control, place)
  if place == 'list' then return end
  if place == 'queue' then redis.call('LREM', queue, 0, job) end
  redis.call('LPUSH', list_key(queue, control.worker), job)
  count(queue, 'healed')
end

-- Takes a held job's entry away, wherever it is.
local function take_entry(queue, job, control, place)
  if place == 'list' then
    remove_entry(queue, control.worker, job)
  elseif place == 'queue' then
    redis.call('LREM', queue, 0, job)
  end
end

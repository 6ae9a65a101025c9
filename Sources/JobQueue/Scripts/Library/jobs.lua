-- The keys of queues and jobs, and what every script asks and tells about a job.
local final = {done = true, failed = true}

local function control_key(job) return 'kiosk:job:' .. job end
local function kids_key(job) return 'kiosk:kids:' .. job end
local function list_key(queue, name) return 'processing-' .. queue .. ':' .. name end
local function lease_key(queue) return 'kiosk:lease:' .. queue end
local function delay_key(queue) return 'kiosk:delay:' .. queue end
local function limbo_key(queue) return 'kiosk:limbo:' .. queue end
local function parked_key(queue) return 'kiosk:parked:' .. queue end
local function dead_key(queue) return 'kiosk:dead:' .. queue end
local function event_key(queue) return 'kiosk:ev:' .. queue end
local function stat_key(queue) return 'kiosk:stat:' .. queue end
local function config_key(queue) return 'kiosk:cfg:' .. queue end
local function workers_key(queue) return 'kiosk:workers:' .. queue end

-- The error reply for the first key of another type, given keys and types alternating; else nil.
-- Scripts are not rolled back, so each asks this before its first write.
local function mistyped(...)
  for i = 1, select('#', ...), 2 do
    local key, wanted = select(i, ...)
    local kind = redis.call('TYPE', key).ok
    if kind ~= 'none' and kind ~= wanted then
      return redis.error_reply('WRONGTYPE ' .. key .. ' is a ' .. kind .. ', not a ' .. wanted)
    end
  end
end

-- The same for everything that belongs to a queue.
local function queue_mistyped(queue)
  return mistyped(queue, 'list', lease_key(queue), 'zset', delay_key(queue), 'zset',
    limbo_key(queue), 'zset', parked_key(queue), 'zset', dead_key(queue), 'zset',
    event_key(queue), 'stream', stat_key(queue), 'hash', 'kiosk:out', 'zset')
end

-- The status of a job, '' if it has none; nil and the type of the key if there is no such job.
local function status_of(job)
  local status = redis.pcall('HGET', job, 'status')
  if type(status) == 'string' then return status end
  local kind = redis.call('TYPE', job).ok
  if kind == 'hash' then return '' end
  return nil, kind == 'none' and 'missing' or kind
end

-- What is remembered of a job, as a table. A key of another type is nobody's: it counts as empty and
-- goes with the next write.
local function recall(job)
  local flat = redis.pcall('HGETALL', control_key(job))
  local control = {}
  if flat.err then
    control.junk = true
  else
    for i = 1, #flat, 2 do control[flat[i]] = flat[i + 1] end
    if not control.worker then control.owner = nil end
  end
  return control
end

local function remember(job, control, ...)
  local key = control_key(job)
  if control.junk then redis.call('DEL', key) end
  redis.call('HSET', key, ...)
  redis.call('EXPIRE', key, memory)
end

-- What a job is when it goes back: consumers of zip archives know only these two.
local function status_before(status, control)
  if status == 'new' or status == 'waiting' then return status end
  return control.prev or 'new'
end

-- Takes a job off a worker's list and returns how often it was there. A list of another type holds
-- nothing.
local function remove_entry(queue, name, job)
  local removed = name and redis.pcall('LREM', list_key(queue, name), 0, job)
  return type(removed) == 'number' and removed or 0
end

local function tell(queue, job, event, ...)
  redis.call('XADD', event_key(queue), 'MAXLEN', '~', 10000, '*', 'event', event, 'job', job,
    'worker', worker, ...)
end

local function count(queue, what)
  redis.call('HINCRBY', stat_key(queue), what, 1)
end

-- Puts a job into its queue as it was before its claim; at the running end unless told otherwise.
-- The claim that ends here was no crash when `orderly`.
local function give_back(queue, job, control, status, orderly, push)
  local key = control_key(job)
  if control.junk then redis.call('DEL', key) end
  if next(control) and not control.junk then
    redis.call('HDEL', key, 'owner', 'worker', 'deadline')
    if orderly and tonumber(control.deliveries or 0) > 0 then
      redis.call('HINCRBY', key, 'deliveries', -1)
    end
  end
  redis.call('HSET', job, 'status', status_before(status, control), 'updated_at', stamp,
    'updated_by', worker)
  redis.call('HDEL', job, 'progress')
  redis.call(push or 'RPUSH', queue, job)
end

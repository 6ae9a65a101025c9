-- The keys of queues and jobs, and what every script asks and tells about a job.
local final = {done = true, failed = true}

-- A table and not functions: what a script defines is defined anew in each call.
local key = {
  control = 'kiosk:job:', kids = 'kiosk:kids:', log = 'kiosk:log:', lease = 'kiosk:lease:',
  delay = 'kiosk:delay:', limbo = 'kiosk:limbo:', parked = 'kiosk:parked:', dead = 'kiosk:dead:',
  event = 'kiosk:ev:', stat = 'kiosk:stat:', config = 'kiosk:cfg:', rate = 'kiosk:rate:',
  reaper = 'kiosk:reap:', cancellations = 'kiosk:cancel:', card = 'kiosk:worker:',
  workers = 'kiosk:workers:', submission = 'kiosk:dedup:', callbacks = 'kiosk:out',
  callback = 'kiosk:out:',
}

-- What a job is submitted with, and who waits for it: it holds for each of its runs.
local lasting = {'max', 'base', 'cap', 'intervals', 'timeout', 'callbacks', 'parent', 'parent_queue',
  'parents'}

local function list_key(queue, name) return 'processing-' .. queue .. ':' .. name end

-- The error reply for the first key of another type, given keys and types alternating; else nil.
-- Scripts are not rolled back, so each asks this before its first write.
local function mistyped(...)
  for i = 1, select('#', ...), 2 do
    local name, wanted = select(i, ...)
    local kind = redis.call('TYPE', name).ok
    if kind ~= 'none' and kind ~= wanted then
      return redis.error_reply('WRONGTYPE ' .. name .. ' is a ' .. kind .. ', not a ' .. wanted)
    end
  end
end

-- The same for everything that belongs to a queue.
local function queue_mistyped(queue)
  return mistyped(queue, 'list', key.lease .. queue, 'zset', key.delay .. queue, 'zset',
    key.limbo .. queue, 'zset', key.parked .. queue, 'zset', key.dead .. queue, 'zset',
    key.event .. queue, 'stream', key.stat .. queue, 'hash', key.callbacks, 'zset')
end

-- The status of a job, '' if it has none; nil and the type of the key if there is no such job.
local function status_of(job)
  local status = redis.pcall('HGET', job, 'status')
  if type(status) == 'string' then return status end
  local kind = redis.call('TYPE', job).ok
  if kind == 'hash' then return '' end
  return nil, kind == 'none' and 'missing' or kind
end

-- What is remembered of a job, as a table. A key of another type is nobody's: it counts as empty
-- and goes with the next write.
local function recall(job)
  local flat = redis.pcall('HGETALL', key.control .. job)
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
  local memo = key.control .. job
  if control.junk then redis.call('DEL', memo) end
  control.junk = nil
  redis.call('HSET', memo, ...)
  redis.call('EXPIRE', memo, memory)
end

-- Forgets who has a job.
local function disown(job, control)
  if control.junk then
    redis.call('DEL', key.control .. job)
  else
    redis.call('HDEL', key.control .. job, 'owner', 'worker', 'deadline')
  end
end

-- Those that wait for a job, each as {key, queue}.
local function parents_of(control)
  local parents = {}
  if control.parent and control.parent_queue then
    parents[1] = {control.parent, control.parent_queue}
  end
  local readable, others = pcall(cjson.decode, control.parents or '[]')
  if readable and type(others) == 'table' then
    for _, one in ipairs(others) do parents[#parents + 1] = one end
  end
  return parents
end

-- The first of them is kept in fields of its own: hardly ever are there more.
local function set_parents(job, control, parents)
  redis.call('HDEL', key.control .. job, 'parents')
  remember(job, control, 'parent', parents[1][1], 'parent_queue', parents[1][2])
  if #parents > 1 then
    remember(job, control, 'parents', cjson.encode({unpack(parents, 2)}))
  end
end

-- What a job is when it goes back: consumers of zip archives know only these two.
local function status_before(status, control)
  if status == 'new' or status == 'waiting' then return status end
  return control.prev or 'new'
end

-- Takes a job off a worker's list and returns how often it was there. A list of another type holds
-- nothing.
local function remove_entry(queue, name, job)
  local removed = name and redis.pcall('LREM', list_key(queue, name), '0', job)
  return type(removed) == 'number' and removed or 0
end

local function tell(queue, job, event, ...)
  redis.call('XADD', key.event .. queue, 'MAXLEN', '~', '10000', '*', 'event', event, 'job', job,
    'worker', worker, ...)
end

local function count(queue, what)
  redis.call('HINCRBY', key.stat .. queue, what, '1')
end

-- Puts a job into its queue as it was before its claim; at the running end unless told otherwise.
-- The claim that ends here was no crash when `orderly`.
local function give_back(queue, job, control, status, orderly, push)
  local memo = key.control .. job
  if control.junk then redis.call('DEL', memo) end
  if next(control) and not control.junk then
    redis.call('HDEL', memo, 'owner', 'worker', 'deadline')
    if orderly and tonumber(control.deliveries or 0) > 0 then
      redis.call('HINCRBY', memo, 'deliveries', -1)
    end
  end
  redis.call('HSET', job, 'status', status_before(status, control), 'updated_at', stamp,
    'updated_by', worker)
  redis.call('HDEL', job, 'progress')
  redis.call(push or 'RPUSH', queue, job)
end

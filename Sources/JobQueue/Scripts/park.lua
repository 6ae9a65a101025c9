-- Makes children of a job in hand and lets it wait for them without a slot.
--
-- KEYS   1 queue, 2 job, then the queues of the children, one for each
-- ARGV   12 token, 13 policy: fail-fast or collect-all, 14 percent of the parent's progress that
--        the children are, 15 '1' if these are the last children, 16 number of values of the
--        parent, then its fields and values, then for each child: key, number of values, its fields
--        and values; no values for one that somebody else makes
-- reply  'ok'; 'canceled' when the job is to be stopped, nothing was made; 'lost'; 'gone'
--
-- Guarantees: a child that exists is not made again, so that a fan-out that is repeated after a
-- crash makes nothing twice; one that has ended, or is missing and not to be made, is not waited
-- for. Sent twice, because its reply was lost, it parks once. With the last children the
-- parent gets the status `waiting` and gives up its lease, its entry and its token, in one step;
-- it goes to the running end of its queue when its last child ends (with fail-fast also when the
-- first fails), at once if all have. Several parents can wait for one child. Spends no delivery. At
-- most 100 children a call.
local queue, job, token = KEYS[1], KEYS[2], ARGV[12]
local kids = key.kids .. job
local wrong = queue_mistyped(queue) or mistyped(list_key(queue, worker), 'list', kids, 'set')
if wrong then return wrong end
if #KEYS - 2 > batch then return redis.error_reply('ERR at most 100 children a call') end
local children, at = {}, 17 + tonumber(ARGV[16])
for i = 3, #KEYS do
  local child, size = ARGV[at], tonumber(ARGV[at + 1])
  wrong = mistyped(KEYS[i], 'list', key.event .. KEYS[i], 'stream', key.stat .. KEYS[i], 'hash',
    child, 'hash', key.control .. child, 'hash')
  if wrong then return wrong end
  children[#children + 1] = {key = child, queue = KEYS[i], first = at + 2, last = at + 1 + size}
  at = at + 2 + size
end
local control = recall(job)
if control.parked == token then return 'ok' end
local state, place = holding(queue, job, control, token)
if state ~= 'ok' then return lose(queue, job, control, state, place) end
if control.cancel then return 'canceled' end

-- Has a child remember who waits for it, others included that still do. If they are very many, the
-- last ones learn of its end by reconcile.
local function wait_for(child, known)
  local parents = {{job, queue}}
  for _, one in ipairs(parents_of(known)) do
    if one[1] ~= job and #parents < batch and not mistyped(key.kids .. one[1], 'set')
      and redis.call('SISMEMBER', key.kids .. one[1], child) == 1 then
      table.insert(parents, #parents, one)
    end
  end
  set_parents(child, known, parents)
end

-- A fan-out that begins anew counts anew.
local fresh = control.fanout ~= token
local total = #children + (fresh and 0 or tonumber(control.children) or 0)
local failed = not fresh and control.kid_failed == '1'
for _, child in ipairs(children) do
  local status = status_of(child.key)
  local is_made = not status and child.last >= child.first
  if is_made then
    redis.call('HSET', child.key, unpack(ARGV, child.first, child.last))
    redis.call('DEL', key.control .. child.key)
    remember(child.key, {}, 'parent', job, 'parent_queue', queue, 'queue', child.queue)
    redis.call('LPUSH', child.queue, child.key)
    tell(child.queue, child.key, 'submitted')
    count(child.queue, 'submitted')
  elseif status and not final[status] then
    wait_for(child.key, recall(child.key))
  end
  if is_made or (status and not final[status]) then
    redis.call('SADD', kids, child.key)
  elseif status ~= 'done' then
    failed = true
  end
end
redis.call('EXPIRE', kids, memory)
heal(queue, job, control, place)
remember(job, control, 'children', total, 'fanout', token, 'policy', ARGV[13],
  'share', ARGV[14], 'kid_failed', failed and '1' or '')
if ARGV[15] ~= '1' then return 'ok' end

remove_entry(queue, control.worker, job)
redis.call('ZREM', key.lease .. queue, job)
redis.call('HDEL', key.control .. job, 'owner', 'worker', 'deadline', 'percent', 'fanout')
remember(job, control, 'prev', 'waiting', 'parked', token,
  'deliveries', math.max(0, tonumber(control.deliveries or 1) - 1))
redis.call('HSET', job, 'progress', '0', 'updated_at', stamp, 'updated_by', worker,
  'status', 'waiting', unpack(ARGV, 17, 16 + tonumber(ARGV[16])))
redis.call('ZADD', key.parked .. queue, now, job)
tell(queue, job, 'waiting', 'children', total)
if redis.call('SCARD', kids) == 0 or (failed and ARGV[13] == 'fail-fast') then
  unpark(queue, job)
end
return 'ok'

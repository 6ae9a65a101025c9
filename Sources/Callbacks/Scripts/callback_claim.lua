-- Takes callbacks that are due, and leases each to its sender: until the lease ends, or the sender
-- says what came of it, nobody else gets it.
--
-- KEYS   1 outbox; what is to be sent is a hash under `<outbox>:<id>`
-- ARGV   1 token of this claim, 2 lease ms, 3 callbacks to take, 4 rank to begin at, 5 callbacks to
--        look at, 6 callbacks that may be with one host at a time, then hosts and how many of theirs
--        are with this sender
-- reply  {ms until the next one is due, or -1; how many were passed over because of their host;
--        1 if there are more behind those that were looked at}, then for each that was taken
--        {id, host, names and values of its hash ...}
--
-- Guarantees: a callback is with one sender at a time; one whose sender dies is due again when the
-- lease ends; each claim counts as a try, so that one that kills its senders is not sent for ever.
local outbox, token, lease_time = KEYS[1], ARGV[1], tonumber(ARGV[2])
local wanted, first, window, share = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]),
  tonumber(ARGV[6])
-- Hashes are kept at least as long as all tries may take: seconds.
local memory = 6 * 3600

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local with_host = {}
for i = 7, #ARGV, 2 do with_host[ARGV[i]] = tonumber(ARGV[i + 1]) end

local function host_of(url)
  local authority = string.match(url, '^[^/]*//([^/?#]*)') or ''
  return string.lower(string.match(authority, '[^@]*$'))
end

local next_due, passed, more = -1, 0, 0
local taken = {}
local entries = redis.call('ZRANGE', outbox, first, first + window - 1, 'WITHSCORES')
if #entries == 2 * window then more = 1 end
for i = 1, #entries, 2 do
  local id, due = entries[i], tonumber(entries[i + 1])
  local body = outbox .. ':' .. id
  if due > now then
    next_due, more = due - now, 0
    break
  end
  if #taken == wanted then
    more = 1
    break
  end
  local told = redis.pcall('HMGET', body, 'url', 'tries')
  if told.err or not told[1] then
    -- Expired, or nothing of ours.
    redis.call('ZREM', outbox, id)
  else
    local host = host_of(told[1])
    local count = with_host[host] or 0
    if count >= share then
      passed = passed + 1
    else
      with_host[host] = count + 1
      redis.call('HSET', body, 'lease', token, 'tries', (tonumber(told[2]) or 0) + 1)
      if redis.call('TTL', body) < memory then redis.call('EXPIRE', body, memory) end
      redis.call('ZADD', outbox, now + lease_time, id)
      taken[#taken + 1] = {id, host, unpack(redis.call('HGETALL', body))}
    end
  end
end
return {next_due, passed, more, unpack(taken)}

"""What runs inside Redis, each script on one key alone: so it is atomic, in a cluster as well.

A full server (OOM) refuses a script that would begin to grow it, yet not one that has written
before. The scripts that must work then, for people who are signed in, begin with a DEL.
"""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Script:
    """A script and the digest by which the server knows it once it has run."""

    text: bytes
    digest: str

    @classmethod
    def of(cls, text: str) -> "Script":
        """The script of this text."""
        raw = text.encode()
        return cls(raw, hashlib.sha1(raw, usedforsecurity=False).hexdigest())


# A record of another beginning (kind, version) than the caller read stays as it is.
REPLACE = Script.of("""
local beginning, record, life = ARGV[1], ARGV[2], ARGV[3]
if redis.call('GETRANGE', KEYS[1], 0, #beginning - 1) ~= beginning then return 0 end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], record, 'PX', life)
return 1
""")

# What stood there, or nothing; a tombstone lives at least as long as asked.
DELETE = Script.of("""
local tombstone, life = ARGV[1], tonumber(ARGV[2])
local old = redis.call('GET', KEYS[1])
if not old then return false end
life = math.max(life, redis.call('PTTL', KEYS[1]))
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], tombstone, 'PX', string.format('%.0f', life))
if old == tombstone then return false end
return old
""")

# A claim is its end, a blank, its owner.
CLAIM = Script.of("""
local owner, now, ends, life = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local held = redis.call('GET', KEYS[1])
if held then
  local blank = string.find(held, ' ', 1, true) or 0
  local until_ = tonumber(string.sub(held, 1, blank - 1)) or 0
  if until_ > now and string.sub(held, blank + 1) ~= owner then return 0 end
end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], ends .. ' ' .. owner, 'PX', life)
return 1
""")

RELEASE = Script.of("""
local held = redis.call('GET', KEYS[1])
if held then
  local blank = string.find(held, ' ', 1, true) or 0
  if string.sub(held, blank + 1) == ARGV[1] then redis.call('DEL', KEYS[1]) end
end
return 1
""")

# A person's list: keys by their end. It only ever counts an end up, and sheds what has ended.
ENLIST = Script.of("""
local key, ends, ended, life = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local known = redis.call('ZSCORE', KEYS[1], key)
if known then
  if tonumber(known) >= tonumber(ends) then return 1 end
  redis.call('ZREM', KEYS[1], key)
end
life = math.max(life, redis.call('PTTL', KEYS[1]))
redis.call('ZADD', KEYS[1], ends, key)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ended)
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', life))
return 1
""")

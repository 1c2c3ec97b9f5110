"""Sessions in Redis or Valkey: one server, or a cluster."""

from webapp.store.redis.line import silent
from webapp.store.redis.store import RedisStore

__all__ = ["RedisStore", "silent"]

// async-cache-dedupe, on Redis.
//
// defaults: `ttl` and the Redis storage. Calls for a key that are under way in the process are one call.
// best:     `stale`, as in its example (as long as the TTL): for so long after the TTL the old value is served while one call
//           of the process goes on in the background.
import { createCache } from 'async-cache-dedupe'
import { Redis } from 'ioredis'
import { best, load, redisUrl, serve, ttlMs, versionOf } from '../serve/serve.mjs'

const client = new Redis(redisUrl)
client.on('error', () => {}) // an `error` event that nobody listens to ends a Node process
const ttl = Math.round(ttlMs / 1000) // whole seconds, or it refuses to cache
const cache = createCache({ ttl, ...(best ? { stale: ttl } : {}), storage: { type: 'redis', options: { client } } })
cache.define('item', (id) => load(id))

serve(versionOf('async-cache-dedupe'), (id) => cache.item(id))

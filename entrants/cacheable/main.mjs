// cacheable, memory in front of Redis.
//
// defaults: `new Cacheable({ secondary, ttl })` and `getOrSet`, which has "stampede protection" in the process.
// best:     its page "Non-Blocking with @keyv/redis": `createKeyvNonBlocking` and `nonBlocking: true`, so that a Redis that is
//           slow or gone holds nobody up. `getOrSet` as before. It has no stale values and no lock between processes.
import KeyvRedis, { createKeyvNonBlocking } from '@keyv/redis'
import { Cacheable } from 'cacheable'
import { best, load, redisUrl, serve, ttlMs, versionOf } from '../serve/serve.mjs'

const cache = best
  ? new Cacheable({ secondary: createKeyvNonBlocking(redisUrl), nonBlocking: true, ttl: ttlMs })
  : new Cacheable({ secondary: new KeyvRedis(redisUrl), ttl: ttlMs })
cache.on('error', () => {}) // an `error` event that nobody listens to ends a Node process

// Without `throwErrors` a failure of the origin would be answered with `undefined`; "function" leaves the failures of Redis out.
serve(versionOf('cacheable'), (id) => cache.getOrSet(`item-${id}`, () => load(id), { ttl: ttlMs, throwErrors: 'function' }))

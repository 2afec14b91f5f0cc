// cache-manager, on Redis by Keyv.
//
// defaults: `createCache({ stores, ttl })` and `wrap`, which lets one call a key and process through.
// best:     `refreshThreshold`, a third of the TTL as in its quick start (10 000 and 3 000 ms): "if the remaining TTL is less
//           than refreshThreshold, the system will update the value asynchronously in background".
import KeyvRedis from '@keyv/redis'
import { createCache } from 'cache-manager'
import { Keyv } from 'keyv'
import { best, load, redisUrl, serve, ttlMs, versionOf } from '../serve/serve.mjs'

const store = new Keyv({ store: new KeyvRedis(redisUrl) })
store.on('error', () => {}) // an `error` event that nobody listens to ends a Node process
const cache = createCache({ stores: [store], ttl: ttlMs, ...(best ? { refreshThreshold: Math.round(ttlMs * 0.3) } : {}) })

serve(versionOf('cache-manager'), (id) => cache.wrap(`item-${id}`, () => load(id)))

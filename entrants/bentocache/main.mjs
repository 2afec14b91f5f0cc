// Bentocache, memory in front of Redis, as its quick start has it.
//
// defaults: a memory layer, a Redis layer and the bus, and a `ttl`. One factory a key and process at a time; the lock is in the
//           process. No grace.
// best:     `grace: '30s'` with `timeout: 0` ("if a graced value is available, it will be returned": stale at once and the
//           factory goes on in the background) and `graceBackoff`, as its page on grace periods recommends.
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis'
import { best, load, redisUrl, serve, ttlMs, versionOf } from '../serve/serve.mjs'

const { hostname: host, port } = new URL(redisUrl)
const connection = { host, port: Number(port) }
const bento = new BentoCache({
  default: 'items',
  ttl: ttlMs,
  ...(best ? { grace: '30s', graceBackoff: '1s', timeout: 0 } : {}),
  stores: {
    items: bentostore()
      .useL1Layer(memoryDriver())
      .useL2Layer(redisDriver({ connection }))
      .useBus(redisBusDriver({ connection }))
  }
})

serve(versionOf('bentocache'), (id) => bento.getOrSet({ key: `item-${id}`, factory: () => load(id) }))

// What every Node entrant needs and no cache library does: settings, the origin, HTTP, and `Cache-Status`.
//
// An entrant stores what `load` returns: the body, when it was read, and the read's name. So each answer can say by itself how
// it was made, whatever the library: a value younger than its request was waited for, and one older than TTL is stale.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import http from 'node:http'

const env = (name, otherwise) => process.env[name] ?? otherwise
export const redisUrl = env('REDIS_URL', 'redis://127.0.0.1:6379')
export const ttlMs = Number(env('TTL_MS', '5000'))
export const best = env('SETTINGS', 'defaults') === 'best'
const originUrl = env('ORIGIN_URL', 'http://127.0.0.1:8090').replace(/\/$/, '')
const slackMs = 50 // an entry is stored a moment after it was read, so it lives that much longer without being stale
const unclaimed = new Set() // reads of this process that no answer has been counted for yet
const now = () => performance.timeOrigin + performance.now() // milliseconds with a fraction
const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity })

export class NotFound extends Error {}
export class OriginFailed extends Error {}

/** Reads the origin; rejects with NotFound or OriginFailed. */
export async function load (id) {
  const { status, body } = await new Promise((resolve, reject) => {
    const headers = { 'lab-replica': env('REPLICA', '0') }
    const request = http.get(`${originUrl}/items/${id}`, { agent, headers, timeout: 5000 }, (answer) => {
      let body = ''
      answer.on('data', (part) => { body += part })
      answer.on('end', () => resolve({ status: answer.statusCode, body }))
      answer.on('error', (error) => reject(new OriginFailed(error.message)))
    })
    request.on('timeout', () => request.destroy(new Error('no answer in 5 s')))
    request.on('error', (error) => reject(new OriginFailed(error.message)))
  })
  if (status === 404) throw new NotFound('no such item')
  if (status !== 200) throw new OriginFailed(`the origin said ${status}`)
  const by = randomUUID()
  unclaimed.add(by)
  return { body, at: now(), by }
}

/** How an answer was made, as RFC 9211 says it. */
function cacheStatus (value, began) {
  if (value.at >= began) return unclaimed.delete(value.by) ? 'entrant; fwd=miss' : 'entrant; fwd=miss; collapsed'
  const left = ttlMs - (now() - value.at)
  return `entrant; hit; ttl=${left > -slackMs ? Math.max(0, Math.floor(left / 1000)) : Math.floor(left / 1000)}`
}

/** Status and text of an exception: the origin's own, wherever a library has wrapped it, else a 500. */
function failure (error) {
  for (let cause = error; cause; cause = cause.cause) {
    if (cause instanceof NotFound) return [404, 'no such item\n']
    if (cause instanceof OriginFailed) return [502, cause.message + '\n']
  }
  return [500, `${error?.name}: ${error?.message}\n`]
}

/** A library's name and version, from its installed package. */
export function versionOf (name) {
  return `${name} ${JSON.parse(readFileSync(`${process.cwd()}/node_modules/${name}/package.json`)).version}`
}

/** `get(id)` answers with what `load` returned, from a cache or not. */
export function serve (version, get) {
  const [host, port] = env('LISTEN', '127.0.0.1:9001').split(':')
  http.createServer(async (request, response) => {
    const began = now()
    const say = (status, text, headers = {}) => response.writeHead(status, { 'Content-Length': Buffer.byteLength(text), ...headers }).end(text)
    if (request.url === '/healthz') return say(200, 'ok\n')
    if (request.url === '/version') return say(200, version + '\n')
    if (!request.url.startsWith('/items/')) return say(404, 'no such page\n')
    try {
      const value = await get(request.url.slice('/items/'.length))
      say(200, value.body, { 'Content-Type': 'application/json', 'Cache-Status': cacheStatus(value, began) })
    } catch (error) {
      say(...failure(error))
    }
  }).listen(Number(port), host, 1024)
}

# ActiveSupport::Cache (Rails) on its RedisCacheStore, in Puma.
#
# defaults: `fetch(name, expires_in: ...)`. Nothing keeps two callers from calling together.
# best:     `race_condition_ttl`, "very useful in situations where a cache entry is used very frequently and is under heavy load":
#           the first to find an entry expired puts the old one back for so long, reads anew, and the others are given the old
#           one. "The key is to keep it small": 2 s, ten times what the origin takes. And `pool_size`, for Puma's threads.
require "active_support"
require "active_support/cache"
require "active_support/cache/redis_cache_store"
require "json"
require "net/http"
require "securerandom"

BEST = ENV["SETTINGS"] == "best"
TTL = ENV.fetch("TTL_MS", "5000").to_i / 1000.0
ORIGIN = URI(ENV.fetch("ORIGIN_URL", "http://127.0.0.1:8090"))
UNCLAIMED = {} # reads that no answer has been counted for yet
SLACK = 0.05 # an entry is stored a moment after it was read, and lives that much longer
STORE = ActiveSupport::Cache::RedisCacheStore.new(
  url: ENV.fetch("REDIS_URL", "redis://127.0.0.1:6379"), expires_in: TTL,
  **(BEST ? { race_condition_ttl: 2, pool_size: 16 } : {})
)

class NotFound < StandardError; end
class OriginFailed < StandardError; end

def load_item(id)
  answer = Net::HTTP.start(ORIGIN.host, ORIGIN.port, open_timeout: 5, read_timeout: 5) do |http|
    http.get("/items/#{id}", { "lab-replica" => ENV.fetch("REPLICA", "0") })
  end
  raise NotFound if answer.code == "404"
  raise OriginFailed, "the origin said #{answer.code}" unless answer.code == "200"
  by = SecureRandom.uuid
  UNCLAIMED[by] = true
  { "body" => answer.body, "at" => Time.now.to_f, "by" => by }
rescue SystemCallError, Timeout::Error => error
  raise OriginFailed, error.message
end

def cache_status(value, began)
  return "entrant; fwd=miss#{"; collapsed" unless UNCLAIMED.delete(value["by"])}" if value["at"] >= began
  left = TTL - (Time.now.to_f - value["at"])
  "entrant; hit; ttl=#{left > -SLACK ? [0, left.floor].max : left.floor}"
end

def say(status, text, headers = {})
  [status, { "Content-Length" => text.bytesize.to_s }.merge(headers), [text]]
end

run(lambda do |env|
  began, path = Time.now.to_f, env["PATH_INFO"]
  next say(200, "ok\n") if path == "/healthz"
  next say(200, "ActiveSupport #{ActiveSupport.version} RedisCacheStore, Ruby #{RUBY_VERSION}\n") if path == "/version"
  next say(404, "no such page\n") unless path.start_with?("/items/")
  id = path.delete_prefix("/items/")
  value = STORE.fetch("item-#{id}") { load_item(id) }
  say(200, value["body"], "Cache-Status" => cache_status(value, began), "Content-Type" => "application/json")
rescue NotFound
  say(404, "no such item\n")
rescue OriginFailed => error
  say(502, error.message)
end)

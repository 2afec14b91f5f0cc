// golang.org/x/sync/singleflight, around a Redis that is read first (redigo).
//
// defaults: `group.Do(key, read the origin and store)`: calls of one key and process that overlap are one call.
// best:     the same, and the flight looks into Redis a second time before it reads the origin. The package has no settings
//
//	and no word on caches; groupcache, which it was taken from, has this second look with its reason as a comment.
package main

import (
	"time"

	"../serve/goserve"
	"github.com/gomodule/redigo/redis"
	"golang.org/x/sync/singleflight"
)

var version = "golang.org/x/sync/singleflight 0" // set by -ldflags at the build: the Debian package's

func main() {
	pool := &redis.Pool{
		MaxIdle:     50,
		IdleTimeout: time.Minute,
		Dial: func() (redis.Conn, error) {
			return redis.DialURL(goserve.RedisURL, redis.DialConnectTimeout(time.Second), redis.DialReadTimeout(time.Second))
		},
	}
	ask := func(command string, args ...interface{}) ([]byte, error) {
		connection := pool.Get()
		defer connection.Close()
		return redis.Bytes(connection.Do(command, args...))
	}
	var group singleflight.Group
	goserve.Serve(version, func(id string) ([]byte, error) {
		// What Redis can't answer is a miss: the package says nothing of caches, so this is the entrant's own choice.
		if stored, err := ask("GET", "item-"+id); err == nil {
			return stored, nil
		}
		value, err, _ := group.Do(id, func() (interface{}, error) {
			if goserve.Best {
				if stored, err := ask("GET", "item-"+id); err == nil {
					return stored, nil
				}
			}
			value, err := goserve.Load(id)
			if err == nil {
				ask("SET", "item-"+id, value, "PX", goserve.TTL.Milliseconds())
			}
			return value, err
		})
		if err != nil {
			return nil, err
		}
		return value.([]byte), nil
	})
}

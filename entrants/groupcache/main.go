// groupcache: a library that is a cache of its own, and uses no Redis. Its documentation: "in many cases a replacement for a
// pool of memcached nodes". It has no expiry, so the key has the number of the present TTL in it, and all keys expire together.
//
// defaults: one process, no peers: each replica has a cache of its own, with a flight a key.
// best:     an HTTPPool of the three replicas, as its documentation has it: a key has one owner, who reads it for all.
package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"../serve/goserve"
	"github.com/golang/groupcache"
)

var version = "groupcache 0" // set by -ldflags at the build: the Debian package's

func main() {
	if goserve.Best {
		pool := groupcache.NewHTTPPool("http://" + goserve.Listen) // it serves /_groupcache/ on the default mux
		pool.Set(strings.Split(goserve.Env("PEERS", "http://"+goserve.Listen), ",")...)
	}
	group := groupcache.NewGroup("items", 64<<20, groupcache.GetterFunc(
		func(_ context.Context, key string, sink groupcache.Sink) error {
			value, err := goserve.Load(strings.SplitN(key, "@", 2)[0])
			if err != nil {
				return err
			}
			return sink.SetBytes(value)
		}))
	goserve.Serve(version, func(id string) ([]byte, error) {
		var value []byte
		key := fmt.Sprintf("%s@%d", id, time.Now().UnixNano()/int64(goserve.TTL))
		err := group.Get(context.Background(), key, groupcache.AllocatingByteSliceSink(&value))
		return value, err
	})
}

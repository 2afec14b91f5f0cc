// Package goserve is what every Go entrant needs and no cache library does: settings, the origin, HTTP, and Cache-Status.
//
// An entrant stores what Load returns: the body, when it was read, and the read's name. So each answer can say by itself how
// it was made, whatever the library: a value younger than its request was waited for, and one older than TTL is stale.
package goserve

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Value is what is cached.
type Value struct {
	Body string
	At   int64 // nanoseconds
	By   string
}

// What the origin may say besides an item.
var (
	NotFound     = errors.New("no such item")
	OriginFailed = errors.New("the origin failed")
)

// The settings.
var (
	Listen    = Env("LISTEN", "127.0.0.1:9001")
	RedisURL  = Env("REDIS_URL", "redis://127.0.0.1:6379")
	TTL       = ttl()
	Best      = Env("SETTINGS", "defaults") == "best"
	slack     = 50 * time.Millisecond // an entry is stored a moment after it was read, and lives that much longer
	client    = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	unclaimed sync.Map // reads of this process that no answer has been counted for yet
)

// Env is an environment variable, or another text where there is none.
func Env(name, otherwise string) string {
	if text := os.Getenv(name); text != "" {
		return text
	}
	return otherwise
}

func ttl() time.Duration {
	ms, err := strconv.Atoi(Env("TTL_MS", "5000"))
	if err != nil {
		log.Fatal("TTL_MS is no number")
	}
	return time.Duration(ms) * time.Millisecond
}

// Load reads the origin. The value is JSON, ready to be stored.
func Load(id string) ([]byte, error) {
	request, err := http.NewRequest("GET", strings.TrimSuffix(Env("ORIGIN_URL", "http://127.0.0.1:8090"), "/")+"/items/"+id, nil)
	if err != nil {
		return nil, NotFound // what is no path is no item
	}
	request.Header.Set("lab-replica", Env("REPLICA", "0"))
	answer, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", OriginFailed, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	switch {
	case answer.StatusCode == 404:
		return nil, NotFound
	case err != nil || answer.StatusCode != 200:
		return nil, fmt.Errorf("%w: it said %d", OriginFailed, answer.StatusCode)
	}
	now := time.Now()
	by := fmt.Sprintf("%s-%d-%s", Env("REPLICA", "0"), now.UnixNano(), id)
	unclaimed.Store(by, true)
	return json.Marshal(Value{string(body), now.UnixNano(), by})
}

// cacheStatus is how an answer was made, as RFC 9211 says it.
func cacheStatus(value Value, began time.Time) string {
	if value.At >= began.UnixNano() {
		if _, mine := unclaimed.LoadAndDelete(value.By); mine {
			return "entrant; fwd=miss"
		}
		return "entrant; fwd=miss; collapsed"
	}
	left := TTL - time.Since(time.Unix(0, value.At))
	seconds := int(left / time.Second)
	if left < -slack {
		seconds--
	}
	return fmt.Sprintf("entrant; hit; ttl=%d", seconds)
}

// Serve answers for ever. Errors are told by NotFound and OriginFailed, or by their texts, where a peer passed them on.
func Serve(version string, get func(id string) ([]byte, error)) {
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	http.HandleFunc("/version", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, version) })
	http.HandleFunc("/items/", func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		var value Value
		stored, err := get(strings.TrimPrefix(r.URL.Path, "/items/"))
		if err == nil {
			err = json.Unmarshal(stored, &value)
		}
		switch {
		case err == nil:
			w.Header().Set("Cache-Status", cacheStatus(value, began))
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, value.Body)
		case errors.Is(err, NotFound):
			http.Error(w, err.Error(), 404)
		case errors.Is(err, OriginFailed):
			http.Error(w, err.Error(), 502)
		default:
			http.Error(w, err.Error(), 500)
		}
	})
	log.Fatal(http.ListenAndServe(Listen, nil))
}

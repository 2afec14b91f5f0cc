# Varnish as the cache in front of the lab's origin, in two variants, told apart by the listener's name. docs/targets.md
# says what each does.
#
#   varnishd -F -j none -n FOLDER -s malloc,64m -f "$PWD/docs/targets/default.vcl" \
#       -a coalesce=127.0.0.1:8085 -a grace=127.0.0.1:8086           ends with Ctrl-C
#
# FOLDER must be an absolute path. Needs no root, and a C compiler, with which Varnish compiles this file.
vcl 4.1;

import std;

backend origin {
    .host = "127.0.0.1";
    .port = "8090";
}

sub vcl_hash {
    hash_data(local.socket);    # the variants don't share entries
}

sub vcl_backend_response {
    # The origin sends no Cache-Control. Varnish's own defaults would be 120 s and 10 s of grace.
    if (beresp.status == 200) {
        set beresp.ttl = 5s;
    } else {
        # Not stored; for a second nobody waits for anybody else's answer of this kind (hit-for-miss). With `ttl = 0s`
        # alone the waiters would go to the origin one after the other.
        set beresp.ttl = 1s;
        set beresp.uncacheable = true;
    }
    set beresp.grace = 0s;
    set beresp.keep = 0s;
    # varnish-grace: for 5 s more an expired entry is served, while one request fetches the next in the background.
    if (local.socket == "grace") {
        set beresp.grace = 5s;
    }
    return (deliver);
}

# What Varnish knows, as RFC 9211 wants it told. A request that was on the waiting list ends as a hit, like any other. But
# the entry that it got is younger than the request itself, and a true hit's entry is older: that tells them apart.
# (It takes an origin that sends no Age.) ttl is rounded down, so that an entry past its TTL has a negative one.
sub vcl_deliver {
    if (obj.hits > 0 && obj.ttl < 0s) {
        set resp.http.Cache-Status = "varnish; hit; ttl=" + std.integer(duration = obj.ttl - 1s, fallback = -1)
            + "; detail=stale";
    } else if (obj.hits > 0 && obj.age < now - req.time) {
        set resp.http.Cache-Status = "varnish; fwd=miss; collapsed";
    } else if (obj.hits > 0) {
        set resp.http.Cache-Status = "varnish; hit; ttl=" + std.integer(duration = obj.ttl, fallback = 0);
    } else if (obj.uncacheable) {
        set resp.http.Cache-Status = "varnish; fwd=miss";
    } else {
        set resp.http.Cache-Status = "varnish; fwd=miss; stored";
    }
}

sub vcl_synth {
    set resp.http.Cache-Status = "varnish; fwd=miss";
}

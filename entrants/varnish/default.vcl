# Varnish. start.sh fills in what stands between @ and @.
#
# defaults: a TTL, and Varnish's own grace of 10 s: an expired object is served for so long while one request fetches the next.
# best:     a grace of 30 s, and what fails is not stored ("abandon" a background fetch that ends in a 5xx, as the users' guide
#           has it under "Misbehaving servers"), so that the old object stays while the origin is down.
vcl 4.1;
import std;

backend origin { .host = "@HOST@"; .port = "@PORT@"; }

sub vcl_recv {
    if (req.url == "/healthz") { return (synth(200, "ok")); }
    if (req.url == "/version") { return (synth(200, "@VERSION@")); }
    set req.http.lab-replica = "@REPLICA@";
}

sub vcl_backend_response {
    if (beresp.status == 200) {
        set beresp.ttl = @TTL@s;    # the origin sends no Cache-Control
        @GRACE@
    } else {
        if (beresp.status >= 500 && bereq.is_bgfetch) { return (abandon); }
        set beresp.ttl = 1s;
        set beresp.uncacheable = true;    # hit-for-miss: nobody waits for another's answer of this kind
    }
    return (deliver);
}

# What Varnish knows; docs/targets.md says how true it is.
sub vcl_deliver {
    if (obj.hits > 0 && obj.ttl < 0s) {
        set resp.http.Cache-Status = "varnish; hit; ttl=" + std.integer(duration = obj.ttl - 1s, fallback = -1);
    } else if (obj.hits > 0 && obj.age < now - req.time) {
        set resp.http.Cache-Status = "varnish; fwd=miss; collapsed";
    } else if (obj.hits > 0) {
        set resp.http.Cache-Status = "varnish; hit; ttl=" + std.integer(duration = obj.ttl, fallback = 0);
    } else {
        set resp.http.Cache-Status = "varnish; fwd=miss";
    }
}

sub vcl_synth {
    set resp.body = resp.reason + {"
"};
    return (deliver);
}

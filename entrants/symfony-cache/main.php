<?php
// Symfony's Cache component: cache contracts on its RedisAdapter, in PHP's own server with 48 workers.
//
// defaults: `$cache->get($key, $callback)`. Its documentation names two ways against stampedes, and both are on: a lock on the
//           host ("only one PHP process per host"), and early expiration by chance (XFetch, "beta" 1.0).
// best:     beta 2.0 ("higher values mean earlier recomputes"). It names one thing more, recomputing in a queue of Messenger,
//           which is a service of its own and is not here.
require '/usr/share/php/Symfony/Component/Cache/autoload.php';

use Symfony\Component\Cache\Adapter\RedisAdapter;
use Symfony\Contracts\Cache\ItemInterface;

class NotFound extends Exception {}
class OriginFailed extends Exception {}

const SLACK_S = 0.05; // an entry is stored a moment after it was read, and lives that much longer
$began = microtime(true);
$ttl = (int) (getenv('TTL_MS') ?: 5000) / 1000;
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);

function say(int $status, string $text): bool
{
    http_response_code($status);
    echo $text;
    return true;
}

function load(string $id): array
{
    $context = stream_context_create(['http' => [
        'timeout' => 5, 'ignore_errors' => true, 'header' => 'lab-replica: ' . (getenv('REPLICA') ?: '0'),
    ]]);
    $body = @file_get_contents((getenv('ORIGIN_URL') ?: 'http://127.0.0.1:8090') . "/items/$id", false, $context);
    $status = (int) explode(' ', $http_response_header[0] ?? 'x 0')[1];
    if ($status === 404) {
        throw new NotFound();
    }
    if ($status !== 200 || $body === false) {
        throw new OriginFailed("the origin said $status");
    }
    return ['body' => $body, 'at' => microtime(true)];
}

if ($path === '/healthz') {
    return say(200, "ok\n");
}
if ($path === '/version') {
    preg_match('/php-symfony-cache ([\d.]+)/', file_get_contents(__DIR__ . '/packages.lock'), $found);
    return say(200, "symfony/cache {$found[1]}, PHP " . PHP_VERSION . "\n");
}
try {
    $redis = RedisAdapter::createConnection(getenv('REDIS_URL') ?: 'redis://127.0.0.1:6379');
    $cache = new RedisAdapter($redis);
    $id = substr($path, strlen('/items/'));
    $mine = false;
    $value = $cache->get("item-$id", function (ItemInterface $item) use ($id, $ttl, &$mine) {
        $item->expiresAfter((int) $ttl);
        $mine = true;
        return load($id);
    }, getenv('SETTINGS') === 'best' ? 2.0 : null);
    $left = $ttl - (microtime(true) - $value['at']);
    $ttl_left = $left > -SLACK_S ? max(0, (int) floor($left)) : (int) floor($left);
    $waited = $value['at'] >= $began;
    header('Cache-Status: entrant; ' . ($waited ? 'fwd=miss' . ($mine ? '' : '; collapsed') : "hit; ttl=$ttl_left"));
    header('Content-Type: application/json');
    return say(200, $value['body']);
} catch (NotFound $e) {
    return say(404, "no such item\n");
} catch (OriginFailed $e) {
    return say(502, $e->getMessage());
} catch (Throwable $e) {
    return say(500, get_class($e) . ': ' . $e->getMessage());
}

import { describe, expect, it } from '@jest/globals';
import { parseRedisUrl } from './redis-url.js';

describe('parseRedisUrl', () => {
  it.each([
    ['redis://cache.example', { host: 'cache.example', port: 6379 }],
    ['redis://cache.example:7000/3', { host: 'cache.example', port: 7000, db: 3 }],
    ['redis://', { host: '127.0.0.1', port: 6379 }],
    ['redis://localhost/', { host: 'localhost', port: 6379 }],
    ['redis://[::1]:7000/0', { host: '::1', port: 7000, db: 0 }],
    ['redis://:secret@host', { host: 'host', port: 6379, password: 'secret' }],
    ['redis://us%40er:p%3Aa%2Fs%23s@host', { host: 'host', port: 6379, username: 'us@er', password: 'p:a/s#s' }],
    ['redis://:%C3%A9@host', { host: 'host', port: 6379, password: 'é' }],
    ['rediss://host:7001', { host: 'host', port: 7001, tls: {} }],
    ['unix:///run/redis/my%20redis.sock', { path: '/run/redis/my redis.sock' }],
  ])('reads %s', (url, location) => {
    expect(parseRedisUrl(url)).toEqual(location);
  });
});

import { expect, it } from '@jest/globals';
import { redactUrl } from './redact-url.js';

it.each([
  ['redis://user:secret@cache:6380/2', 'redis://***@cache:6380/2'],
  ['redis://:secret@cache', 'redis://***@cache'],
  ['redis://127.0.0.1:6379/', 'redis://127.0.0.1:6379'],
  ['postgres://shop:secret@db:5432/shop?password=secret&sslmode=require', 'postgres://***@db:5432/shop'],
])('prints %s as %s', (url, printed) => {
  expect(redactUrl(url)).toBe(printed);
});

import { describe, expect, it, jest } from '@jest/globals';
import type { ChangeFeed } from '../../core/redis/tracking/change-feed.js';
import { ChangeRouter } from './change-router.js';

/** A feed that a test speaks through. */
function feedOf(): { feed: ChangeFeed; tell: (key: string) => void } {
  let tell: (key: string) => void = () => undefined;
  const feed: ChangeFeed = {
    kind: 'tracking',
    live: true,
    epoch: 0,
    onChange: (listener) => {
      tell = listener;
      return () => undefined;
    },
    onEpoch: () => () => undefined,
    announce: async () => undefined,
    untilLive: async () => undefined,
    close: () => undefined,
  };
  return { feed, tell: (key) => tell(key) };
}

describe('ChangeRouter', () => {
  it('tells each cache of its own keys, and only of them', () => {
    const { feed, tell } = feedOf();
    const router = new ChangeRouter(feed, 'app:cache:');
    const [products, product] = [jest.fn(), jest.fn()];
    router.add('app:cache:products:', products);
    router.add('app:cache:product:', product);
    const keys = [
      'app:cache:products:{a}',
      'app:cache:products:{a}:refresh',
      'app:cache:products:segment:lists:{a}',
      'app:cache:products:tags:{products}:tag:a',
    ];
    keys.forEach(tell);
    expect(products.mock.calls).toEqual(keys.map((key) => [key]));
    tell('app:cache:product:{a}');
    expect(product.mock.calls).toEqual([['app:cache:product:{a}']]);
  });

  it('takes the word of keys that are nobody’s', () => {
    const { feed, tell } = feedOf();
    const changed = jest.fn();
    new ChangeRouter(feed, 'app:cache:').add('app:cache:products:', changed);
    for (const key of ['app:cache:others:{a}', 'app:cache:products', 'app:cache:', '', '{a}']) tell(key);
    expect(changed).not.toHaveBeenCalled();
  });
});

import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Keyv as Keyv6 } from 'keyv-6';
import type { createKeyv } from '../../../src/cache/keyv/index.js';
import { expectNoLeakedConnections } from '../../support/redis.js';
import { keyvContract } from './keyv.contract.js';

expectNoLeakedConnections();

describe('with Keyv 6', () => {
  let create: typeof createKeyv;

  beforeAll(async () => {
    jest.unstable_mockModule('keyv', () => import('keyv-6'));
    ({ createKeyv: create } = await import('../../../src/cache/keyv/index.js'));
  });

  it('is what the contract runs on', () => {
    const store = {} as Parameters<typeof createKeyv>[0];
    expect(create(store)).toBeInstanceOf(Keyv6);
  });

  keyvContract((cache, options) => create(cache, options));
});

import { describe } from '@jest/globals';
import { createKeyv } from '../../../src/cache/keyv/index.js';
import { expectNoLeakedConnections } from '../../support/redis.js';
import { keyvContract } from './keyv.contract.js';

expectNoLeakedConnections();

describe('with Keyv 5', () => keyvContract(createKeyv));

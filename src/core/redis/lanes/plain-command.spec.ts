import { describe, expect, it } from '@jest/globals';
import { insteadOf, plainCommand } from './plain-command.js';

describe('plainCommand', () => {
  it('gives HGETALL as the list that RESP2 has, however it is spelt', async () => {
    for (const name of ['HGETALL', 'hgetall', 'hGetAll']) {
      const command = plainCommand(name, ['key']);
      command.resolve(['field', 'value']);
      await expect(command.promise).resolves.toEqual(['field', 'value']);
    }
  });

  it('flattens what RESP3 nests', async () => {
    const command = plainCommand('ZRANGE', ['key', 0, -1, 'WITHSCORES']);
    command.setReplyContext({ protocol: 3, replyMapping: 'legacy' });
    command.resolve([['member', '1']]);
    await expect(command.promise).resolves.toEqual(['member', '1']);
  });

  it('takes numbers, strings and bytes as they are', () => {
    const bytes = Buffer.from([0xff, 0x00]);
    expect(plainCommand('SET', ['key', bytes, 'PX', 100]).args).toEqual(['key', bytes, 'PX', '100']);
  });
});

describe('insteadOf', () => {
  it.each(['SUBSCRIBE', 'MULTI', 'BLPOP', 'SELECT', 'QUIT', 'MONITOR'])(
    'knows that %s is not for a shared connection',
    (name) => {
      expect(insteadOf(plainCommand(name, []))).toEqual(expect.any(String));
    },
  );

  it.each(['GET', 'XREADGROUP', 'EVALSHA', 'constructor', 'toString'])('lets %s through', (name) => {
    expect(insteadOf(plainCommand(name, []))).toBeNull();
  });
});

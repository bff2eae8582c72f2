import { inspect } from 'node:util';
import { ReplyError } from 'ioredis';
import { describe, expect, it } from '@jest/globals';
import { RedisReplyError, RedisUnavailableError } from '../../errors/redis.errors.js';
import { toRookeryError } from './reply-errors.js';

/** As ioredis hands it over: with the whole command in it. */
function reply(message: string): Error {
  return Object.assign(new ReplyError(message) as Error, {
    command: { name: 'set', args: ['secret-key', 'secret-value'] },
  });
}

describe('toRookeryError', () => {
  it.each([
    ['LOADING Redis is loading the dataset in memory', 'server-not-ready'],
    ['BUSY Redis is busy running a script.', 'server-not-ready'],
    ['CLUSTERDOWN The cluster is down', 'server-not-ready'],
    ['MASTERDOWN Link with MASTER is down', 'server-not-ready'],
    ['TRYAGAIN Multiple keys request during rehashing of slot', 'server-not-ready'],
    ['NOAUTH Authentication required.', 'server-not-ready'],
    ['UNBLOCKED force unblock from blocking operation', 'server-not-ready'],
    ["READONLY You can't write against a read only replica.", 'writes-refused'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'writes-refused'],
    ['MISCONF Redis is configured to save RDB snapshots', 'writes-refused'],
    ['NOREPLICAS Not enough good replicas to write.', 'writes-refused'],
  ])('takes "%s" for unavailability that passes, with no effect', (message, reason) => {
    const error = toRookeryError(reply(message), 'default', 'set') as RedisUnavailableError;
    expect(error).toBeInstanceOf(RedisUnavailableError);
    expect(error).toMatchObject({ code: 'ROOKERY_REDIS_UNAVAILABLE', reason, mayHaveRun: false });
  });

  it.each([
    ['WRONGTYPE Operation against a key holding the wrong kind of value', 'WRONGTYPE'],
    ['NOSCRIPT No matching script.', 'NOSCRIPT'],
    ['BUSYGROUP Consumer Group name already exists', 'BUSYGROUP'],
    ['ERR syntax error', 'ERR'],
    ['a script of somebody said this', 'ERR'],
  ])('takes "%s" for a refusal', (message, replyCode) => {
    const error = toRookeryError(reply(message), 'default', 'set') as RedisReplyError;
    expect(error).toBeInstanceOf(RedisReplyError);
    expect(error).toMatchObject({ code: 'ROOKERY_REDIS_REPLY', replyCode, message: `Redis refused set: ${replyCode}` });
    expect((error.cause as Error).message).toBe(message);
  });

  it('says that a command may have run when its connection was lost', () => {
    const error = toRookeryError(new Error('Connection is closed.'), 'default', 'set');
    expect(error).toMatchObject({ reason: 'connection-lost', mayHaveRun: true });
  });

  it('says that a command which was only ever redirected has not run', () => {
    const error = toRookeryError(new Error('Too many Cluster redirections. Last error: MOVED 1 h:1'), 'default', 'set');
    expect(error).toMatchObject({ reason: 'server-not-ready', mayHaveRun: false });
  });

  it("keeps the command's arguments out of everything that could be logged", () => {
    const quoting = "ERR unknown command 'STE', with args beginning with: 'secret-key' 'secret-value' ";
    for (const message of [quoting, 'OOM no', 'WRONGTYPE no']) {
      expect(inspect(toRookeryError(reply(message), 'default', 'set'), { depth: 10 })).not.toContain('secret');
    }
    const lost = Object.assign(new Error('Command aborted due to connection close'), reply('ERR'));
    expect(inspect(toRookeryError(lost, 'default', 'set'), { depth: 10 })).not.toContain('secret');
  });
});

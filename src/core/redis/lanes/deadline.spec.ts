import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startDeadline } from './deadline.js';

function blockFor(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

const elapsed = (ms: number): Promise<number> => {
  const started = performance.now();
  return new Promise((resolve) => startDeadline(ms, () => resolve(performance.now() - started)));
};

describe('startDeadline', () => {
  it('expires once the time has passed, and not before', async () => {
    expect(await elapsed(30)).toBeGreaterThanOrEqual(30);
  });

  it('keeps each of many deadlines, whatever their lengths', async () => {
    const lengths = [40, 10, 25, 10, 40, 1];
    const took = await Promise.all(lengths.map(elapsed));
    took.forEach((ms, i) => expect(ms).toBeGreaterThanOrEqual(lengths[i] as number));
  });

  it('does not expire when it was cancelled, and says whether that was in time', async () => {
    let expired = 0;
    const deadline = startDeadline(10, () => (expired += 1));
    const others = [startDeadline(10, () => (expired += 10)), startDeadline(10, () => undefined)];
    expect(deadline.cancel()).toBe(true);
    expect(deadline.cancel()).toBe(false);
    await elapsed(15);
    expect(expired).toBe(10);
    expect(others.map((other) => other.cancel())).toEqual([false, false]);
  });

  describe('when the process stands still', () => {
    let server: Worker;
    let socket: Socket;

    beforeAll(async () => {
      // In a thread of its own, so that it answers while this one stands still.
      server = new Worker(
        `const { createServer } = require('node:net');
         const server = createServer((socket) => socket.on('data', () => socket.write('reply')).on('error', () => {}));
         server.listen(0, '127.0.0.1', () => require('node:worker_threads').parentPort.postMessage(server.address().port));`,
        { eval: true },
      );
      const [port] = (await once(server, 'message')) as [number];
      socket = connect(port, '127.0.0.1').setNoDelay(true);
      await once(socket, 'connect');
    });

    afterAll(async () => {
      socket.destroy();
      await server.terminate();
    });

    it('never takes a reply for late that already lies in the socket', async () => {
      for (let round = 0; round < 20; round++) {
        const replied = once(socket, 'data');
        await new Promise((written) => socket.write('request', written));
        const deadline = startDeadline(5, () => undefined);
        blockFor(40);
        await replied;
        expect(deadline.cancel()).toBe(true);
      }
    });

    it.each([31, 60])('gives a request that a standstill of %d ms held up time of its own', async (ms) => {
      for (let round = 0; round < 20; round++) {
        const replied = once(socket, 'data');
        const deadline = startDeadline(30, () => undefined);
        // As the cork does, once the turn ends.
        setImmediate(() => socket.write('request'));
        blockFor(ms);
        await replied;
        expect(deadline.cancel()).toBe(true);
      }
    });
  });
});

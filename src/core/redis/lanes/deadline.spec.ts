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
    const other = startDeadline(10, () => (expired += 10));
    const last = elapsed(10);
    expect(deadline.cancel()).toBe(true);
    expect(deadline.cancel()).toBe(false);
    await last;
    expect(expired).toBe(10);
    expect(other.cancel()).toBe(false);
  });

  describe('when the process stands still', () => {
    const replies = new Int32Array(new SharedArrayBuffer(4));
    let server: Worker;
    let socket: Socket;

    beforeAll(async () => {
      // In a thread of its own, so that it answers while this one stands still.
      server = new Worker(
        `const { createServer } = require('node:net');
         const { parentPort, workerData } = require('node:worker_threads');
         const replied = () => { Atomics.add(workerData, 0, 1); Atomics.notify(workerData, 0); };
         const server = createServer((socket) => socket.on('data', () => socket.write('reply', replied)).on('error', () => {}));
         server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`,
        { eval: true, workerData: replies },
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
        // Until the reply lies in the socket, and the deadline is past.
        Atomics.wait(replies, 0, round);
        blockFor(10);
        await replied;
        expect(deadline.cancel()).toBe(true);
      }
    });

    it('gives a request that was held up by the standstill the lost time again', async () => {
      for (let round = 0; round < 5; round++) {
        const replied = once(socket, 'data');
        const deadline = startDeadline(300, () => undefined);
        blockFor(600);
        socket.write('request');
        await replied;
        expect(deadline.cancel()).toBe(true);
      }
    });
  });

  it('leaves time for what was written at the end of the turn, however short the standstill was', async () => {
    for (let round = 0; round < 20; round++) {
      const deadline = startDeadline(10, () => undefined);
      const replied = new Promise((reply) => setImmediate(() => setTimeout(reply, 1)));
      blockFor(10);
      await replied;
      expect(deadline.cancel()).toBe(true);
    }
  });
});

import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { Writable } from 'node:stream';
import { Cork } from './cork.js';

/** Counts what would be system calls. */
class Wire extends Writable {
  readonly calls: number[] = [];

  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    this.calls.push(1);
    done();
  }

  override _writev(chunks: readonly unknown[], done: () => void): void {
    this.calls.push(chunks.length);
    done();
  }
}

function send(cork: Cork, wire: Wire, count: number, bytesRead = 0): void {
  for (let i = 0; i < count; i++) {
    cork.beforeWrite(wire as unknown as Socket, bytesRead);
    wire.write('x');
  }
}

describe('Cork', () => {
  it('holds a lone write up for nothing', () => {
    const wire = new Wire();
    send(new Cork(), wire, 1);
    expect(wire.calls).toEqual([1]);
  });

  it('holds none of those up that are written one at a time, each after a reply', () => {
    const wire = new Wire();
    const cork = new Cork();
    for (let replies = 0; replies < 5; replies++) send(cork, wire, 1, replies);
    expect(wire.calls).toEqual([1, 1, 1, 1, 1]);
  });

  it('hands 64 writes of a turn over in about nine pieces, all within the turn', async () => {
    const wire = new Wire();
    const cork = new Cork();
    send(cork, wire, 32);
    await new Promise(process.nextTick);
    send(cork, wire, 32);
    await new Promise(setImmediate);
    expect(wire.calls.reduce((sum, writes) => sum + writes, 0)).toBe(64);
    expect(wire.calls.length).toBeLessThanOrEqual(9);
    send(cork, wire, 3);
    await new Promise(setImmediate);
    expect(wire.calls.reduce((sum, writes) => sum + writes, 0)).toBe(67);
  });

  it('holds nothing back when the connection changes within a turn', async () => {
    const [before, after] = [new Wire(), new Wire()];
    const cork = new Cork();
    send(cork, before, 5);
    send(cork, after, 5);
    await new Promise(setImmediate);
    for (const wire of [before, after]) {
      expect(wire.calls.reduce((sum, writes) => sum + writes, 0)).toBe(5);
      expect(wire.writableCorked).toBe(0);
    }
  });
});

import { describe, expect, it } from '@jest/globals';
import { ClaimBatcher, type Claim } from './claim-batcher.js';

interface Sent {
  readonly entries: string[];
  readonly leaseMs: number;
}

/** A batcher whose group is an entry's first letter, and what it sent. */
function batcher(): { sent: Sent[]; batches: ClaimBatcher } {
  const sent: Sent[] = [];
  const answer = (claims: readonly Claim[], leaseMs: number): void => {
    sent.push({ entries: claims.map(({ entry }) => entry), leaseMs });
    for (const { entry, marker, resolve } of claims) resolve(Buffer.from(`${entry} ${marker}`));
  };
  return { sent, batches: new ClaimBatcher((key) => key.charCodeAt(0), answer) };
}

describe('ClaimBatcher', () => {
  it('sends the claims of one tick together, a group for each slot, in their order', async () => {
    const { sent, batches } = batcher();
    const entries = ['a1', 'b1', 'a2', 'b2', 'a3'];
    const found = await Promise.all(entries.map((entry) => batches.claim(entry, `mark of ${entry}`, 100)));
    expect(sent).toEqual([
      { entries: ['a1', 'a2', 'a3'], leaseMs: 100 },
      { entries: ['b1', 'b2'], leaseMs: 100 },
    ]);
    expect(found.map(String)).toEqual(entries.map((entry) => `${entry} mark of ${entry}`));
  });

  it('sends nothing before the end of the tick, and then at once', async () => {
    const { sent, batches } = batcher();
    let turned = false;
    setImmediate(() => (turned = true));
    const claimed = batches.claim('a', 'm', 100);
    expect(sent).toEqual([]);
    await claimed;
    expect(turned).toBe(false);
  });

  it('begins anew with the next tick', async () => {
    const { sent, batches } = batcher();
    await batches.claim('a1', 'm', 100);
    await batches.claim('a2', 'm', 100);
    expect(sent.map(({ entries }) => entries)).toEqual([['a1'], ['a2']]);
  });

  it('does not mix leases of different lengths', async () => {
    const { sent, batches } = batcher();
    await Promise.all([batches.claim('a1', 'm', 100), batches.claim('a2', 'm', 200), batches.claim('a3', 'm', 100)]);
    expect(sent).toEqual([
      { entries: ['a1', 'a3'], leaseMs: 100 },
      { entries: ['a2'], leaseMs: 200 },
    ]);
  });

  it('sends no more than 64 at once, so that no script holds the server up', async () => {
    const { sent, batches } = batcher();
    const entries = Array.from({ length: 150 }, (_, i) => `a${i}`);
    await Promise.all(entries.map((entry) => batches.claim(entry, 'm', 100)));
    expect(sent.map((batch) => batch.entries.length)).toEqual([64, 64, 22]);
    expect(sent.flatMap((batch) => batch.entries)).toEqual(entries);
  });

  it('claims one entry for each who asks for it', async () => {
    const { sent, batches } = batcher();
    const found = await Promise.all([batches.claim('a', 'mine', 100), batches.claim('a', 'yours', 100)]);
    expect(sent).toEqual([{ entries: ['a', 'a'], leaseMs: 100 }]);
    expect(found.map(String)).toEqual(['a mine', 'a yours']);
  });

  it('fails the one claim whose slot cannot be told, and no other', async () => {
    const groupOf = (key: string): number => {
      if (key === 'bad') throw new RangeError('no slot');
      return 0;
    };
    const batches = new ClaimBatcher(groupOf, (claims) => claims.forEach(({ resolve }) => resolve(null)));
    const good = batches.claim('good', 'm', 100);
    await expect(batches.claim('bad', 'm', 100)).rejects.toThrow(RangeError);
    expect(await good).toBeNull();
  });
});

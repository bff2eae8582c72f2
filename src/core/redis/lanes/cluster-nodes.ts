import type { Cluster, Redis } from 'ioredis';

/** After each of these, other nodes may own the slots. */
export const TOPOLOGY_EVENTS = ['+node', '-node', 'refresh', 'ready', 'close', 'end'] as const;

/** How ioredis's slot table names a node. */
export function addressOf({ options }: Redis): string {
  return `${options.host ?? '127.0.0.1'}:${options.port ?? 6379}`;
}

/** The primary that a slot belongs to, as far as is known; null when it has no connection. */
export function primaryOf(cluster: Cluster, slot: number): Redis | null {
  const address = cluster.slots[slot]?.[0];
  return address === undefined ? null : primaryAt(cluster, address);
}

/** The primary at that address, as the slot table writes it; null when there is none. */
export function primaryAt(cluster: Cluster, address: string): Redis | null {
  return cluster.nodes('master').find((node) => addressOf(node) === address) ?? null;
}

/** The addresses of all primaries that own slots, as far as is known. */
export function primariesWithSlots(cluster: Cluster): Set<string> {
  const addresses = new Set<string>();
  let previous: readonly string[] | undefined;
  for (const nodes of cluster.slots) {
    // The slots of one range share an array, so that few of the 16,384 need a closer look.
    if (nodes === previous) continue;
    previous = nodes;
    if (nodes?.[0] !== undefined) addresses.add(nodes[0]);
  }
  return addresses;
}

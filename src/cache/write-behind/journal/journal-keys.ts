import { KeySpace } from '../../../core/keys/key-space.js';

/** The keys of one journal, in one slot. `ids` alone has a TTL: the others hold what is not in the source yet. */
export interface JournalKeys {
  readonly pending: string;
  readonly ready: string;
  readonly inflight: string;
  readonly members: string;
  readonly batches: string;
  readonly state: string;
  readonly ids: string;
  readonly dead: string;
  readonly deadSince: string;
  readonly deadReasons: string;
}

/** The keys of the journal of that name. */
export function journalKeys(prefix: string, name: string): JournalKeys {
  const space = new KeySpace(prefix, 'write-behind');
  const key = (part: string): string => space.key(name, part);
  return {
    pending: key('pending'),
    ready: key('ready'),
    inflight: key('in-flight'),
    members: key('members'),
    batches: key('batches'),
    state: key('state'),
    ids: key('ids'),
    dead: key('dead'),
    deadSince: key('dead-since'),
    deadReasons: key('dead-reasons'),
  };
}

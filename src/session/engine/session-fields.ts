/** The fields of a session's hash that are the module's own. The scripts know them too. Few and short: each is read with every request. */
export const FIELD = {
  /** What the session is: see {@link readMeta}. */
  meta: '#',
  /** What it was made from and by: the address, a space, the device. */
  device: '#b',
} as const;

/** What a session is, besides what applications put there. */
export interface SessionMeta {
  readonly createdMs: number;
  readonly deadlineMs: number;
  /** Its own idle timeout, or undefined where it is the module's. */
  readonly idleMs: number | undefined;
  /** Empty for nobody. */
  readonly user: string;
}

/** Reads `<created>:<lifetime>:<idle timeout, or nothing>:<user>`, times in milliseconds. */
export function readMeta(text: string): SessionMeta {
  const afterCreated = text.indexOf(':');
  const afterLife = text.indexOf(':', afterCreated + 1);
  const afterIdle = text.indexOf(':', afterLife + 1);
  const createdMs = Number(text.slice(0, afterCreated));
  return {
    createdMs,
    deadlineMs: createdMs + Number(text.slice(afterCreated + 1, afterLife)),
    idleMs: afterIdle === afterLife + 1 ? undefined : Number(text.slice(afterLife + 1, afterIdle)),
    user: text.slice(afterIdle + 1),
  };
}

/** The field of an attribute: its name, with `#` doubled at the beginning, so that no attribute can be taken for a field of the module. */
export function fieldOfName(name: string): string {
  return name.startsWith('#') ? `#${name}` : name;
}

/** The name of the attribute that a field holds. */
export function nameOfField(field: Buffer): string {
  // Not by the text: this is under every request.
  return field[0] === HASH && field[1] === HASH ? field.toString('utf8', 1) : field.toString();
}

const HASH = 35;

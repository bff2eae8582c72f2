/** The fields of a session's hash that are the module's own. The scripts know them too. */
export const FIELD = {
  created: '#c',
  deadline: '#d',
  seen: '#s',
  user: '#u',
  /** An idle timeout of its own. */
  idle: '#l',
  /** The address that it was made from. */
  ip: '#i',
  /** What it was made by: a browser, say. */
  agent: '#b',
  successor: '#n',
  /** What it was before: it ends with it. */
  predecessor: '#p',
} as const;

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

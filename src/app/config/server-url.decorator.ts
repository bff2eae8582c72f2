import { ValidateBy } from 'class-validator';

/** The text is a URL of one of the protocols and names a host. The message never repeats it: it may hold a password. */
export function IsServerUrl(protocols: readonly string[]): PropertyDecorator {
  const example = `${protocols[0]}://user:password@host:port`;
  return ValidateBy({
    name: 'isServerUrl',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && namesServer(value, protocols),
      defaultMessage: () => `must be a URL such as ${example} (${protocols.map((name) => `${name}://`).join(' or ')})`,
    },
  });
}

function namesServer(text: string, protocols: readonly string[]): boolean {
  if (!URL.canParse(text)) {
    return false;
  }
  const url = new URL(text);
  return url.hostname !== '' && protocols.includes(url.protocol.slice(0, -1));
}

import { ValidateBy } from 'class-validator';

/** The text is a URL of HTTP that a path can be added to, without credentials: `fetch` takes none. The message never repeats it. */
export function IsWebUrl(): PropertyDecorator {
  return ValidateBy({
    name: 'isWebUrl',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && isWebUrl(value),
      defaultMessage: () =>
        'must be a URL such as https://host:port/path (https:// or http://), without a password or a query',
    },
  });
}

function isWebUrl(text: string): boolean {
  if (!URL.canParse(text) || /[?#\s]/.test(text)) return false;
  const { protocol, username, password } = new URL(text);
  return ['https:', 'http:'].includes(protocol) && username === '' && password === '';
}

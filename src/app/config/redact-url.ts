/** The URL with its credentials and its query left out, fit to print. */
export function redactUrl(text: string): string {
  const url = new URL(text);
  const credentials = url.username === '' && url.password === '' ? '' : '***@';
  return `${url.protocol}//${credentials}${url.host}${url.pathname === '/' ? '' : url.pathname}`;
}

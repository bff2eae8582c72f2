import type { Socket } from 'node:net';

/** Calls `hear` with each line of JSON that arrives. */
export function hearLines(socket: Socket, hear: (message: unknown) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) hear(JSON.parse(line));
  });
}

/** Writes one line of JSON. */
export function tell(socket: Socket, message: object): void {
  socket.write(`${JSON.stringify(message)}\n`);
}

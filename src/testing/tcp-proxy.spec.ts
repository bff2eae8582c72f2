import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from './eventually.js';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';

/** A server that says back what it hears, and a client that writes down what it is told. */
describe('TcpProxy', () => {
  let echo: Server;
  let echoSockets: Socket[];
  let proxy: TcpProxy;
  let clients: Client[];

  beforeEach(async () => {
    echoSockets = [];
    clients = [];
    echo = createServer((socket) => {
      echoSockets.push(socket);
      socket.on('error', () => undefined).pipe(socket);
    }).listen(0, '127.0.0.1');
    await once(echo, 'listening');
    proxy = await startTcpProxy({ host: '127.0.0.1', port: (echo.address() as AddressInfo).port });
  });

  afterEach(async () => {
    clients.forEach((client) => client.socket.destroy());
    await proxy.stop();
    await new Promise((resolve) => echo.close(resolve));
  });

  async function open(): Promise<Client> {
    const client = new Client(connect(proxy.port, proxy.host));
    clients.push(client);
    await once(client.socket, 'connect');
    return client;
  }

  async function talk(client: Client, text: string): Promise<void> {
    const expected = client.heard + text;
    client.socket.write(text);
    await eventually(() => expect(client.heard).toBe(expected), { every: '1ms' });
  }

  it('passes everything on, in order and whole, in both directions', async () => {
    const client = await open();
    const text = 'abcdefgh'.repeat(200_000);
    await talk(client, text);
    expect(client.heard.length).toBe(text.length);
  });

  it('passes on the end of a connection', async () => {
    const client = await open();
    await talk(client, 'hello');
    client.socket.end();
    await eventually(() => expect(proxy.connections).toBe(0));
    expect(echoSockets[0]?.destroyed).toBe(true);
    expect(client.error).toBeUndefined();
  });

  it('resets every connection on cut, and lets new ones through', async () => {
    const cut = [await open(), await open()];
    await Promise.all(cut.map((client) => talk(client, 'hello')));
    proxy.cut();
    await eventually(() => expect(cut.map(({ error }) => error)).toEqual(['ECONNRESET', 'ECONNRESET']));
    await eventually(() => expect(echoSockets.every(({ destroyed }) => destroyed)).toBe(true));
    await talk(await open(), 'again');
  });

  it('closes what was being shut down when it is cut', async () => {
    const client = await open();
    await talk(client, 'hello');
    // The proxy reads the end of the one, and has not finished ending the other.
    echoSockets[0]?.destroy();
    await once(echoSockets[0] as Socket, 'close');
    for (let turn = 0; turn < 1_000 && proxy.connections > 0; turn++) {
      proxy.cut();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(proxy.connections).toBe(0);
  });

  it('holds everything back while frozen, with connections open, and delivers it when healed', async () => {
    const client = await open();
    await talk(client, 'before ');
    proxy.freeze();
    client.socket.write('during ');
    echoSockets[0]?.write('unasked ');
    const late = await open();
    late.socket.write('late');
    // A round trip over the same loopback, beside the proxy, takes far less than this.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(client.heard).toBe('before ');
    expect(late.heard).toBe('');
    expect(client.socket.destroyed).toBe(false);

    await proxy.heal();
    await eventually(() => expect(client.heard.split(' ').sort()).toEqual(['', 'before', 'during', 'unasked']));
    await eventually(() => expect(late.heard).toBe('late'));
  });

  it('hides the end of a connection while frozen', async () => {
    const client = await open();
    await talk(client, 'hello');
    proxy.freeze();
    echoSockets[0]?.end();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(client.ended).toBe(false);
    await proxy.heal();
    await eventually(() => expect(client.ended).toBe(true));
  });

  it('delays each direction, also of a burst, without holding up what follows', async () => {
    const client = await open();
    await talk(client, 'hello');
    proxy.delay('100ms');
    const words = Array.from({ length: 30 }, (_, i) => ` ${i}`);
    const started = performance.now();
    for (const word of words) {
      client.socket.write(word);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await eventually(() => expect(client.heard).toBe(`hello${words.join('')}`), { every: '1ms' });
    const tookMs = performance.now() - started;
    expect(tookMs).toBeGreaterThanOrEqual(200);
    // One after the other, each there and back, they would take three seconds and more.
    expect(tookMs).toBeLessThan(2_500);
  });

  it('keeps the order when the delay ends with bytes on their way', async () => {
    const client = await open();
    await talk(client, 'hello ');
    proxy.delay('50ms');
    client.socket.write('first ');
    await eventually(() => expect(client.socket.bytesWritten).toBe(12));
    await new Promise((resolve) => setTimeout(resolve, 10));
    await proxy.heal();
    client.socket.write('second');
    await eventually(() => expect(client.heard).toBe('hello first second'));
  });

  it('refuses connections until healed, then serves the same port', async () => {
    const client = await open();
    await talk(client, 'hello');
    await proxy.refuse();
    await eventually(() => expect(client.error).toBe('ECONNRESET'));
    await expect(open()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await proxy.heal();
    await talk(await open(), 'again');
  });

  it('resets a client whose server is not there', async () => {
    await using orphan = await startTcpProxy({ host: '127.0.0.1', port: 1 });
    const client = new Client(connect(orphan.port, orphan.host));
    clients.push(client);
    await eventually(() => expect(client.socket.destroyed).toBe(true));
    await eventually(() => expect(orphan.connections).toBe(0));
  });
});

class Client {
  heard = '';
  ended = false;
  error: string | undefined;

  constructor(readonly socket: Socket) {
    socket.setEncoding('utf8');
    socket.on('data', (text) => (this.heard += String(text)));
    socket.on('end', () => (this.ended = true));
    socket.on('error', (error: NodeJS.ErrnoException) => (this.error = error.code));
  }
}

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const NEWLINE = 10;
const STAR = 42;
const DOLLAR = 36;

/**
 * A relay in front of a Redis that counts what clients send through it, whichever library they use:
 *
 * - `commands`, as they stand on the wire: a script is one, whatever it does in the server;
 * - `pings`: those of them that ask for nothing but a sign of life;
 * - `trips`: times that somebody wrote after the server's last answer. Commands that leave together are one. Only true of one caller at a time.
 */
export class WireTap {
  commands = 0;
  pings = 0;
  trips = 0;
  #hasAnswered = true;
  #sockets = new Set();

  constructor(target) {
    this.server = createServer((client) => this.#relay(client, connect(target.port, target.host)));
  }

  static async before(target) {
    const tap = new WireTap(target);
    tap.server.listen(0, '127.0.0.1');
    await once(tap.server, 'listening');
    tap.host = '127.0.0.1';
    tap.port = tap.server.address().port;
    tap.url = `redis://${tap.host}:${tap.port}`;
    return tap;
  }

  /** What `run` costs, and what follows from it until the wire falls silent: commits that no caller waits for. */
  async during(run) {
    await this.#silence();
    this.#reset();
    await run();
    await this.#silence();
    return this.#counts();
  }

  /** What is sent in so many milliseconds, by those who may never fall silent. */
  async over(ms) {
    this.#reset();
    await new Promise((resolve) => setTimeout(resolve, ms));
    return this.#counts();
  }

  stop() {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
  }

  #reset() {
    this.commands = 0;
    this.pings = 0;
    this.trips = 0;
  }

  #counts() {
    return { commands: this.commands, pings: this.pings, trips: this.trips };
  }

  async #silence() {
    for (let before = -1; before !== this.commands;) {
      before = this.commands;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  #relay(client, server) {
    const count = commandCounter();
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
    }
    client.on('data', (chunk) => {
      const { commands, pings } = count(chunk);
      this.commands += commands;
      this.pings += pings;
      if (this.#hasAnswered) this.trips += 1;
      this.#hasAnswered = false;
      server.write(chunk);
    });
    server.on('data', (chunk) => {
      this.#hasAnswered = true;
      client.write(chunk);
    });
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
  }
}

/** Counts the commands that begin in each chunk of a RESP stream: `*<words>`, then `$<length>` and that many bytes for each word; the first one is its name. */
function commandCounter() {
  let line = '';
  let skip = 0;
  let isName = false;
  return (chunk) => {
    let commands = 0;
    let pings = 0;
    for (let at = 0; at < chunk.length;) {
      if (skip > 0) {
        const step = Math.min(skip, chunk.length - at);
        skip -= step;
        at += step;
        continue;
      }
      const end = chunk.indexOf(NEWLINE, at);
      line += chunk.latin1Slice(at, end === -1 ? chunk.length : end);
      at = end === -1 ? chunk.length : end + 1;
      if (end === -1) break;
      if (line.charCodeAt(0) === STAR) {
        commands += 1;
        isName = true;
      }
      if (line.charCodeAt(0) === DOLLAR) {
        skip = Number(line.slice(1)) + 2;
        if (isName && /^ping\r/i.test(chunk.latin1Slice(at, at + 5))) pings += 1;
        isName = false;
      }
      line = '';
    }
    return { commands, pings };
  };
}

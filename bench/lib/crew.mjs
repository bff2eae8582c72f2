import { fork } from 'node:child_process';

/** Processes of their own that run one worker module, and do what they are asked. */
export class Crew {
  #members;

  /** `config` is handed to each; `worker` is the URL of a module that calls {@link serve}. */
  static async start(worker, count, config) {
    const crew = new Crew(Array.from({ length: count }, () => new Member(worker, config)));
    await crew.ask('open');
    return crew;
  }

  constructor(members) {
    this.#members = members;
  }

  /** Asks all of them at once, and gives their answers. */
  ask(what, argument) {
    return Promise.all(this.#members.map((member) => member.ask(what, argument)));
  }

  /** Asks one of them. */
  askOne(member, what, argument) {
    return this.#members[member].ask(what, argument);
  }

  async stop() {
    await this.ask('close');
    for (const member of this.#members) member.end();
  }
}

class Member {
  #child;
  #waiting = new Map();
  #asked = 0;

  constructor(worker, config) {
    this.#child = fork(worker, [JSON.stringify(config)]);
    this.#child.on('message', ({ id, answer, error }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) resolve(answer);
      else reject(new Error(error));
    });
    this.#child.on('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`A worker ended with ${code}.`));
    });
  }

  ask(what, argument) {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, what, argument });
    });
  }

  end() {
    this.#child.disconnect();
  }
}

/** In a worker: makes what it can do, by name, from the crew's `config`. */
export function serve(open) {
  let doing;
  process.on('message', async ({ id, what, argument }) => {
    try {
      if (what === 'open') doing = await open(JSON.parse(process.argv[2]));
      const answer = what === 'open' ? undefined : await doing[what](argument);
      process.send({ id, answer });
    } catch (error) {
      process.send({ id, error: String(error?.stack ?? error) });
    }
  });
  process.on('disconnect', () => process.exit());
}

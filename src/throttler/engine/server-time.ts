interface Sample {
  serverUs: number;
  sentMs: number;
}

/**
 * What time it is on the servers, as far as their replies told: so that a decision can be given a time after which nobody waits for it, on the clock of the
 * server that makes it. A server that was frozen, or a connection that was, then does not count in the end what was decided without it.
 */
export class ServerTime {
  readonly #samples = new Map<number, Sample>();

  /** The time on a group's server when `ms` from now on have passed, or a little later; 0 while nothing is known. */
  latestUs(group: number, nowMs: number, ms: number): number {
    const sample = this.#samples.get(group);
    // Its time was taken after the command was sent: to count from the sending errs on the late side.
    return sample === undefined ? 0 : Math.ceil(sample.serverUs + (nowMs - sample.sentMs + ms) * 1_000);
  }

  learn(group: number, serverUs: number, sentMs: number): void {
    const sample = this.#samples.get(group);
    if (sample === undefined) {
      this.#samples.set(group, { serverUs, sentMs });
      return;
    }
    sample.serverUs = serverUs;
    sample.sentMs = sentMs;
  }
}

import { ClientAddresses } from '../../core/calls/client-addresses.js';
import type { Caller } from '../../core/calls/caller.js';
import type { SessionModuleOptions } from '../session.options.js';
import { summarizeAgent } from './user-agent.js';
import type { Device } from './redis-sessions.js';

/** Nothing is known of it. */
export const UNKNOWN_DEVICE: Device = { ip: '', agent: '' };

/** A whole address, and not the network that it lies in: it is shown to its owner. */
const WHOLE_IPV6 = 128;

/** Tells what a client comes from and with. */
export class Devices {
  readonly #addresses: ClientAddresses | null;

  /** @throws {ConfigurationError} for options that cannot work */
  constructor(options: SessionModuleOptions['device']) {
    this.#addresses =
      options === false ? null : new ClientAddresses({ ...options, ipv6Prefix: WHOLE_IPV6 }, 'SessionModule: device');
  }

  of(caller: Pick<Caller, 'type' | 'request' | 'headers' | 'remoteAddress'>): Device {
    if (this.#addresses === null) return UNKNOWN_DEVICE;
    const agent = caller.headers['user-agent'];
    return {
      ip: this.#addresses.of(caller)?.key[1] ?? '',
      agent: typeof agent === 'string' ? summarizeAgent(agent) : '',
    };
  }
}

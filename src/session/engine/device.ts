import { ClientAddresses } from '../../core/calls/client-addresses.js';
import type { Caller } from '../../core/calls/caller.js';
import type { SessionModuleOptions } from '../session.options.js';
import { summarizeAgent } from './user-agent.js';

/** Nothing is known of it. */
export const UNKNOWN_DEVICE = '';

/** A whole address, and not the network that it lies in: it is shown to its owner. */
const WHOLE_IPV6 = 128;

/** Redis keeps small hashes packed only while no value is longer than that. */
const LONGEST = 64;

/** Tells what a client comes from and with, as sessions keep it: the address, a space, the program and the system. */
export class Devices {
  readonly #addresses: ClientAddresses | null;

  /** @throws {ConfigurationError} for options that cannot work */
  constructor(options: SessionModuleOptions['device']) {
    this.#addresses =
      options === false ? null : new ClientAddresses({ ...options, ipv6Prefix: WHOLE_IPV6 }, 'SessionModule: device');
  }

  of(caller: Pick<Caller, 'type' | 'request' | 'headers' | 'remoteAddress'>): string {
    if (this.#addresses === null) return UNKNOWN_DEVICE;
    const ip = this.#addresses.of(caller)?.key[1] ?? '';
    const agent = caller.headers['user-agent'];
    return `${ip} ${typeof agent === 'string' ? summarizeAgent(agent) : ''}`.slice(0, LONGEST).trimEnd();
  }
}

/** The two parts of it. Null for what is not known. */
export function readDevice(device: string): { readonly ip: string | null; readonly agent: string | null } {
  const space = device.indexOf(' ');
  const [ip, agent] = space < 0 ? [device, ''] : [device.slice(0, space), device.slice(space + 1)];
  return { ip: ip === '' ? null : ip, agent: agent === '' ? null : agent };
}

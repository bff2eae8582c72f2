import type { ReplyShape } from './reply-shape.js';
import { ScriptReplyError } from './script-reply.error.js';

type Decode = (reply: unknown) => unknown;

/**
 * The largest integer that surely arrives as it was sent. The parser of ioredis 6 adds a digit's character code before it
 * takes '0' away again, so that the last 48 integers below 2^53 can come out one off; 64 is the round number above.
 */
const LARGEST_EXACT = 2 ** 53 - 64;

/**
 * Builds the function that checks a reply against its declared shape and makes JavaScript values of it: once per script,
 * so that a call pays for the checks alone.
 *
 * An integer is a `number`, and exact: one further from 0 than 2^53 - 64 is refused, so a script whose numbers grow that
 * large has to reply a string. A string is decoded as UTF-8; bytes are a `Buffer`; nil is `null`.
 *
 * @throws {ScriptReplyError} from the built function, when a reply is not what was declared
 */
export function compileReply(shape: ReplyShape, script: string, place = 'the reply'): Decode {
  if (shape === 'integer') return (reply) => (isExact(reply) ? reply : reject(reply, 'an integer'));
  if (shape === 'string') return (reply) => (Buffer.isBuffer(reply) ? reply.toString() : reject(reply, 'a string'));
  if (shape === 'bytes') return (reply) => (Buffer.isBuffer(reply) ? reply : reject(reply, 'bytes'));
  if (shape === 'nil') return (reply) => (reply === null ? null : reject(reply, 'nil'));
  if ('nullable' in shape) {
    const decode = compileReply(shape.nullable, script, place);
    return (reply) => (reply === null ? null : decode(reply));
  }
  if ('either' in shape) {
    const [decodeScalar, decodeList] = shape.either.map((one) => compileReply(one, script, place)) as [Decode, Decode];
    return (reply) => (Array.isArray(reply) ? decodeList(reply) : decodeScalar(reply));
  }
  if ('array' in shape) {
    const decode = compileReply(shape.array, script, `${place}[]`);
    return (reply) => (Array.isArray(reply) ? reply.map((item: unknown) => decode(item)) : reject(reply, 'an array'));
  }
  const decoders = shape.tuple.map((item, index) => compileReply(item, script, `${place}[${index}]`));
  return (reply) =>
    Array.isArray(reply) && reply.length === decoders.length
      ? decoders.map((decode, index) => decode(reply[index]))
      : reject(reply, `an array of ${decoders.length}`);

  function reject(reply: unknown, expected: string): never {
    throw new ScriptReplyError(script, place, expected, kindOf(reply));
  }
}

function isExact(reply: unknown): reply is number {
  return typeof reply === 'number' && reply <= LARGEST_EXACT && reply >= -LARGEST_EXACT;
}

function kindOf(reply: unknown): string {
  if (typeof reply === 'number') return isExact(reply) ? 'an integer' : 'an integer too large to be exact';
  if (Buffer.isBuffer(reply)) return 'a string';
  if (Array.isArray(reply)) return `an array of ${reply.length}`;
  return reply === null ? 'nil' : 'of an unknown kind';
}

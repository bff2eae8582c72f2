import { EncodeError } from '../../core/codec/codec.errors.js';
import { jsonCodec } from '../../core/codec/json.codec.js';
import { nameOfField } from '../engine/session-fields.js';

/** The fields of a session's hash that are the store's own. The scripts know them too. */
const BIRTH = '#c';
const EXPIRES = '#e';
/** How the cookie is set up: an attribute like others, but for when it expires, which is known by {@link EXPIRES}. */
export const COOKIE = 'cookie';

/** It would become the prototype of the object that it is copied to. */
const FORBIDDEN = '__proto__';

/** What a session's hash holds. */
export interface StoredContent {
  readonly birth: string;
  /** How the cookie is set up, in JSON; empty without a cookie. */
  readonly cookie: string;
  /** Names, and values in JSON. */
  readonly attributes: ReadonlyMap<string, string>;
  /** All of it as libraries take it. */
  readonly session: Record<string, unknown>;
}

/** Null when there is none. What cannot be read is left out. */
export function readContent(fields: readonly Buffer[]): StoredContent | null {
  let birth = '';
  let expires = '';
  let cookie = '';
  const attributes = new Map<string, string>();
  const session: Record<string, unknown> = {};
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const field = (fields[at] as Buffer).toString();
    const value = fields[at + 1] as Buffer;
    if (field === BIRTH) birth = value.toString();
    else if (field === EXPIRES) expires = value.toString();
    else {
      const name = nameOfField(fields[at] as Buffer);
      const decoded = decode(value);
      if (decoded === undefined || name === FORBIDDEN) continue;
      session[name] = decoded;
      if (name !== COOKIE) attributes.set(name, value.toString());
      else if (isObject(decoded)) cookie = value.toString();
    }
  }
  if (birth === '') return null;
  if (isObject(session[COOKIE])) session[COOKIE] = { ...session[COOKIE], expires: dateOf(expires) };
  return { birth, cookie, attributes, session };
}

/**
 * The attributes of a session in JSON, without its cookie. What has no form in JSON is left out, as the libraries' own stores do, and so is `__proto__`.
 *
 * @throws {EncodeError} for a bigint, a cycle, and what fails in a `toJSON()`
 */
export function encodeAttributes(session: object): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [name, value] of Object.entries(session) as [string, unknown][]) {
    const json = name === COOKIE || name === FORBIDDEN ? undefined : encode(value);
    if (json !== undefined) attributes.set(name, json);
  }
  return attributes;
}

/** @throws {EncodeError} */
export function encode(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw new EncodeError(
      'An attribute of the session has no JSON form: it holds a bigint or a cycle, or a toJSON() failed.',
      {
        context: { codec: jsonCodec.name },
        cause,
      },
    );
  }
}

/** Whether it has properties to look at. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function decode(value: Buffer): unknown {
  try {
    return jsonCodec.decode(value);
  } catch {
    return undefined;
  }
}

function dateOf(expires: string): string | null {
  const date = new Date(expires === '' ? NaN : Number(expires));
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

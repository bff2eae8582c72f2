import type { AbstractHttpAdapter } from '@nestjs/core';
import { EncodeError } from '../../core/codec/codec.errors.js';
import { structuredCodec } from '../../core/codec/structured.codec.js';
import type { HttpResponse } from './http-exchange.js';
import type { StoredResponse } from './stored-response.js';

/** A body as it is kept. */
export type EncodedBody = Pick<StoredResponse, 'form' | 'body' | 'type'>;

const JSON_TYPE = 'application/json; charset=utf-8';

interface ExpressResponse extends HttpResponse {
  readonly app?: { get(setting: string): unknown };
}

interface FastifyReply extends HttpResponse {
  serialize(value: unknown): string | undefined;
}

/** Encodes what a handler gave as the adapter would send it, or undefined for what cannot be sent twice: a stream, an error, `undefined`. */
export function encodeBody(
  adapter: AbstractHttpAdapter,
  response: HttpResponse,
  value: unknown,
): EncodedBody | undefined {
  if (value === null) return { form: 'nothing', body: '', type: null };
  if (typeof value === 'string') return { form: 'text', body: value, type: null };
  if (typeof value !== 'object') return encodeValue(value);
  if (isStream(value) || value instanceof Error) return undefined;
  const isFastify = adapter.getType() === 'fastify';
  // Nest hands bytes to Fastify as they are, and to Express as an object.
  if (isFastify && ArrayBuffer.isView(value)) return { form: 'base64', body: base64(value), type: null };
  const body = isFastify ? (response as FastifyReply).serialize(value) : expressJson(response, value);
  return typeof body === 'string' ? { form: 'text', body, type: JSON_TYPE } : undefined;
}

/** Encodes what a handler gave so that it comes back equal, or undefined for what would not: instances of classes, streams, `undefined`. */
export function encodeValue(value: unknown): EncodedBody | undefined {
  if (value === undefined || typeof value === 'function') return undefined;
  try {
    return { form: 'value', body: String(structuredCodec.encode(value)), type: null };
  } catch (error) {
    if (error instanceof EncodeError) return undefined;
    throw error;
  }
}

/** What Nest is to send. */
export function decodeBody({ form, body }: StoredResponse): unknown {
  switch (form) {
    case 'text':
      return body;
    case 'base64':
      return Buffer.from(body, 'base64');
    case 'nothing':
      return null;
    case 'value':
      return structuredCodec.decode(Buffer.from(body));
  }
}

/** Whether the value can be read but once. Nest sends each of these as it comes. */
export function isStream(value: object): boolean {
  const streamable = value as { pipe?: unknown; getReader?: unknown; getStream?: unknown };
  return (
    Symbol.asyncIterator in value ||
    [streamable.pipe, streamable.getReader, streamable.getStream].some((method) => typeof method === 'function') ||
    Object.prototype.toString.call(value) === '[object Response]'
  );
}

/** As Express writes JSON, whose form an application can set. */
function expressJson({ app }: ExpressResponse, value: object): string | undefined {
  const replacer = app?.get('json replacer') as Parameters<typeof JSON.stringify>[1];
  const json = JSON.stringify(value, replacer, app?.get('json spaces') as string | number | undefined) as
    string | undefined;
  if (app?.get('json escape') !== true) return json;
  return json?.replace(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}

function base64(bytes: ArrayBufferView): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

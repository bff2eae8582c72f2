import type { ExecutionContext } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/internal';
import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../errors/configuration.error.js';
import { callerOf as callerOfContext } from './caller.js';

const callerOf = (context: ExecutionContext) => callerOfContext(context, 'Ask RateLimiter.');

function contextOf(type: string, args: unknown[]): ExecutionContext {
  const host = new ExecutionContextHost(args);
  host.setType(type);
  return host;
}

const headers = { 'x-api-key': 'k' };
const socket = { remoteAddress: '192.0.2.1' };
const alice = { id: 'alice' };

describe('the caller of a request', () => {
  it('is that of Node on Express', () => {
    const [request, response] = [{ headers, socket, user: alice }, {}];
    const context = contextOf('http', [request, response]);
    const caller = callerOf(context);
    expect(caller).toMatchObject({ type: 'http', headers, remoteAddress: '192.0.2.1', user: alice });
    expect(caller.context).toBe(context);
    expect(caller.request).toBe(request);
    expect(caller.response).toBe(response);
    expect(caller.identity).toBe(request);
  });

  it('leads to that of Node on Fastify, whichever of the two holds the user', () => {
    const raw = { headers, socket, user: undefined as unknown };
    const request = { headers, raw, user: null as unknown };
    const caller = callerOf(contextOf('http', [request, {}]));
    expect(caller).toMatchObject({ headers, remoteAddress: '192.0.2.1' });
    expect(caller.request).toBe(request);
    expect(caller.identity).toBe(raw);
    expect(caller.user).toBeUndefined();
    raw.user = { id: 'of middleware' };
    expect(caller.user).toEqual({ id: 'of middleware' });
    request.user = alice;
    expect(caller.user).toBe(alice);
  });

  it("does not take what an Express application calls 'raw' for Node's request", () => {
    const request = { headers, socket, raw: 'the body' };
    const caller = callerOf(contextOf('http', [request, {}]));
    expect(caller.identity).toBe(request);
    expect(caller.remoteAddress).toBe('192.0.2.1');
  });
});

describe('the caller of a resolver', () => {
  const info = {};
  const resolver = (graphql: unknown) => callerOf(contextOf('graphql', [undefined, {}, graphql, info]));

  it("is the request of Express, whose response is known, and one call is one field's", () => {
    const res = {};
    const req = { headers, socket, user: alice, res };
    const caller = resolver({ req });
    expect(caller).toMatchObject({ type: 'graphql', headers, remoteAddress: '192.0.2.1', user: alice });
    expect(caller.request).toBe(req);
    expect(caller.response).toBe(res);
    expect(caller.identity).toBe(info);
    const other = {};
    expect(resolver({ req, res: other }).response).toBe(other);
  });

  it('is the request of Fastify under Apollo, whose connection knows the response unless the context names the reply', () => {
    const connection: object = { ...socket };
    const raw = { socket: connection, user: alice };
    const req = { headers, raw };
    const caller = resolver({ req });
    expect(caller).toMatchObject({ headers, remoteAddress: '192.0.2.1', user: alice, response: undefined });
    const response = { req: raw };
    Object.assign(connection, { _httpMessage: response });
    expect(caller.response).toBe(response);
    Object.assign(connection, { _httpMessage: { req: 'an earlier request of this connection' } });
    expect(caller.response).toBeUndefined();
    const reply = {};
    expect(resolver({ req, reply }).response).toBe(reply);
  });

  it('is the request of a reply, as with Mercurius, or the one that the context calls request', () => {
    const request = { headers, raw: { socket } };
    const reply = { request };
    expect(resolver({ reply }).request).toBe(request);
    expect(resolver({ reply }).response).toBe(reply);
    expect(resolver({ request }).remoteAddress).toBe('192.0.2.1');
  });

  it('of a subscription is the upgrade request, where Nest has put it or where the application has', () => {
    const request = { headers, socket };
    const extra = { request, user: alice };
    for (const graphql of [{ req: { extra, connectionParams: {} } }, { extra }]) {
      const caller = resolver(graphql);
      expect(caller.request).toBe(request);
      expect(caller).toMatchObject({ headers, remoteAddress: '192.0.2.1', user: alice, response: undefined });
    }
  });

  it('may be unknown but for the user', () => {
    expect(resolver({ user: alice })).toMatchObject({ headers: {}, remoteAddress: undefined, user: alice });
    expect(resolver(undefined)).toMatchObject({ request: undefined, response: undefined, user: undefined });
  });

  it('of a reference is found without arguments, and each reference is a call', () => {
    const args = [{ __typename: 'A' }, { req: { headers, socket } }, info];
    const caller = callerOf(contextOf('graphql', args));
    expect(caller.remoteAddress).toBe('192.0.2.1');
    expect(caller.identity).toBe(args);
  });
});

describe('the caller of a gateway', () => {
  it('is known by the handshake of socket.io', () => {
    const client = { handshake: { headers, address: '192.0.2.1' }, data: { user: alice } };
    const args = [client, { some: 'data' }, 'pattern'];
    const caller = callerOf(contextOf('ws', args));
    expect(caller).toMatchObject({ type: 'ws', headers, remoteAddress: '192.0.2.1', user: alice, response: undefined });
    expect(caller.request).toBe(client);
    expect(caller.identity).toBe(args);
  });

  it('is known by the connection of ws, which keeps no headers but those of a request that the application keeps', () => {
    expect(callerOf(contextOf('ws', [{ _socket: socket, request: { headers } }, {}])).headers).toBe(headers);
    const caller = callerOf(contextOf('ws', [{ _socket: socket, user: alice }, {}]));
    expect(caller).toMatchObject({ headers: {}, remoteAddress: '192.0.2.1', user: alice });
    expect(callerOf(contextOf('ws', [{ _socket: null }, {}])).remoteAddress).toBeUndefined();
  });
});

describe('the caller of a microservice', () => {
  it('is the context of the transport, without an address', () => {
    const args = [{ some: 'data' }, { subject: 'a' }];
    const caller = callerOf(contextOf('rpc', args));
    expect(caller).toMatchObject({ type: 'rpc', headers: {}, remoteAddress: undefined, response: undefined });
    expect(caller.request).toBe(args[1]);
    expect(caller.identity).toBe(args);
  });
});

it('says which kind of handler it does not know, and what to do', () => {
  expect(() => callerOf(contextOf('telegraf', [{}]))).toThrow(ConfigurationError);
  expect(() => callerOf(contextOf('telegraf', [{}]))).toThrow(/'telegraf'.*RateLimiter/);
});

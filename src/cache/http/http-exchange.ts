import type { IncomingHttpHeaders } from 'node:http';
import type { ExecutionContext } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ResponseHead, type HeaderValue, type RawResponse } from './response-head.js';

/** What requests have in common on every adapter. */
export interface HttpRequest {
  readonly headers: IncomingHttpHeaders;
  query: unknown;
  /** Where guards put who is asking. */
  readonly user?: unknown;
  /** Fastify's: Node's request, where middleware puts who is asking. */
  readonly raw?: { readonly user?: unknown };
}

/** What responses have in common on every adapter. The rest goes through the adapter. */
export interface HttpResponse {
  readonly statusCode: number;
  getHeaders(): object;
  /** Fastify's: Node's response. Express' is one. */
  readonly raw?: RawResponse;
}

/** One request and its response, the same on every adapter. */
export class HttpExchange {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  #head: ResponseHead | undefined;

  constructor(
    private readonly adapter: AbstractHttpAdapter,
    readonly context: ExecutionContext,
  ) {
    const http = context.switchToHttp();
    this.request = http.getRequest<HttpRequest>();
    this.response = http.getResponse<HttpResponse>();
  }

  get method(): string {
    return this.adapter.getRequestMethod(this.request) as string;
  }

  /** With the prefix of the application, and the query. */
  get url(): string {
    return this.adapter.getRequestUrl(this.request) as string;
  }

  get hostname(): string {
    return this.adapter.getRequestHostname(this.request) as string;
  }

  /** Whether it is said who asks: by a guard or middleware, or by credentials that the client sent. */
  get isAuthenticated(): boolean {
    const { headers, user, raw } = this.request;
    return headers.authorization !== undefined || headers.cookie !== undefined || (user ?? raw?.user ?? null) !== null;
  }

  /** The headers' being written. Watched from the first call on. */
  get head(): ResponseHead {
    this.#head ??= new ResponseHead(this.response.raw ?? (this.response as unknown as RawResponse));
    return this.#head;
  }

  /** The names of the headers that are set, in lower case. */
  get headerNames(): readonly string[] {
    return Object.keys(this.response.getHeaders());
  }

  header(name: string): HeaderValue {
    const value = this.adapter.getHeader(this.response, name) as number | HeaderValue;
    return typeof value === 'number' ? String(value) : value;
  }

  setHeader(name: string, value: string | readonly string[]): void {
    this.adapter.setHeader(this.response, name, value as string);
  }

  setStatus(status: number): void {
    this.adapter.status(this.response, status);
  }
}

import type { IncomingHttpHeaders } from 'node:http';
import type { ExecutionContext } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';

/** What requests have in common on every adapter. */
export interface HttpRequest {
  readonly headers: IncomingHttpHeaders;
  query: unknown;
  /** Where guards put who is asking. */
  readonly user?: unknown;
}

/** What responses have in common on every adapter. The rest goes through the adapter. */
export interface HttpResponse {
  readonly statusCode: number;
}

/** The value of a response header that was set. */
export type HeaderValue = string | readonly string[] | undefined;

/** One request and its response, the same on every adapter. */
export class HttpExchange {
  readonly request: HttpRequest;
  readonly response: HttpResponse;

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

  /** Whether it is said who asks: by a guard, or by credentials that the client sent. */
  get isAuthenticated(): boolean {
    const { headers, user } = this.request;
    return headers.authorization !== undefined || headers.cookie !== undefined || (user !== undefined && user !== null);
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

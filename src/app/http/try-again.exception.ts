import { HttpException, type HttpStatus } from '@nestjs/common';

/** The same request may succeed after a while; answered with `Retry-After`. The message is for the client, whatever the status. */
export class TryAgainException extends HttpException {
  constructor(
    status: HttpStatus,
    message: string,
    readonly retryAfterMs: number,
    cause: unknown,
  ) {
    super(message, status, { cause });
  }
}

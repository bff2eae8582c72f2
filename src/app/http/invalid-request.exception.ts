import { BadRequestException } from '@nestjs/common';
import type { FieldProblem } from './problem-details.js';

/** The request has fields that cannot be used; answered with 400 and the list of them. */
export class InvalidRequestException extends BadRequestException {
  constructor(readonly errors: readonly FieldProblem[]) {
    super('The request has fields that cannot be used');
  }
}

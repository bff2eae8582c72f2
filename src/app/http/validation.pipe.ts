import { type ArgumentMetadata, Injectable, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { InvalidRequestException } from './invalid-request.exception.js';
import { FieldProblem } from './problem-details.js';

/**
 * Turns every parameter, query and body into its DTO, or refuses the request naming each field at fault. Fields that
 * the DTO does not have are refused too: a misspelt one would otherwise be ignored in silence.
 */
@Injectable()
export class RequestValidationPipe extends ValidationPipe {
  constructor() {
    super({
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      stopAtFirstError: true,
      exceptionFactory: (errors) => new InvalidRequestException(errors.flatMap((error) => fieldProblems(error))),
    });
  }

  /** class-validator accepts an array of DTOs, and takes `null` and text for an empty one: a body is one object. */
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'body' && (typeof value !== 'object' || value === null || Array.isArray(value))) {
      throw new InvalidRequestException([new FieldProblem('body', 'body must be a JSON object')]);
    }
    return super.transform(value, metadata);
  }
}

function fieldProblems({ property, constraints = {}, children = [] }: ValidationError, parent = ''): FieldProblem[] {
  const field = parent + property;
  const own = Object.values(constraints).map((message) => new FieldProblem(field, message));
  return [...own, ...children.flatMap((child) => fieldProblems(child, `${field}.`))];
}

import { applyDecorators } from '@nestjs/common';
import { IsString, Length, Matches } from 'class-validator';

/** Text of a bounded length that Postgres can keep: it has no place for a NUL character. */
export function IsText(min: number, max: number): PropertyDecorator {
  return applyDecorators(
    // eslint-disable-next-line no-control-regex -- the NUL character is what this refuses
    Matches(/^[^\u0000]*$/, { message: '$property must be text without a NUL character' }),
    Length(min, max),
    IsString(),
  );
}

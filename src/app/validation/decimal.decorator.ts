import { Transform } from 'class-transformer';

/**
 * Reads a number written in digits from a path, a query or an environment variable. What is not stays text, and `@IsInt` then refuses it:
 * `Number` would take '0x10', '1e3', ' 7 ' and '' as numbers too.
 */
export function Decimal(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value,
  );
}

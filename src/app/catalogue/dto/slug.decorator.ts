import { Matches } from 'class-validator';

/** The readable key of a category or a brand: small letters, digits and hyphens. */
export function IsSlug(): PropertyDecorator {
  return Matches(/^[a-z0-9-]{1,64}$/, { message: '$property must be a slug, such as harrow-lane' });
}

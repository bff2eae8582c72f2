import { Inject } from '@nestjs/common';

/** Token of the journal of that name. The same name gives the same token, also across copies of the package. */
export function writeBehindToken(name: string): symbol {
  return Symbol.for(`rookery:write-behind:${name}`);
}

/** Injects the `WriteBehind` that `CacheModule.forWriteBehind` set up for this definition. */
export function InjectWriteBehind({ name }: { readonly name: string }): PropertyDecorator & ParameterDecorator {
  return Inject(writeBehindToken(name));
}

const sources = new URL('../../../src/', import.meta.url);

/** The service imports the package by its name; here that is the sources, so that no build has to come first. */
export async function resolve(specifier, context, next) {
  const [, feature] = /^rookery(?:\/(\w+))?$/.exec(specifier) ?? [undefined, null];
  if (feature === null) return next(specifier, context);
  return { url: new URL(`${feature ?? 'core'}/index.ts`, sources).href, format: 'module', shortCircuit: true };
}

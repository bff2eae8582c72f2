/**
 * The import rule, checked: `app -> feature -> core` and `testing -> core`, no cycles.
 *
 * A room is a folder of src/. Feature rooms are all rooms but core, testing and app, so that a new feature is
 * bound by these rules from its first file. Type-only imports count: a type that reaches sideways is a
 * dependency all the same.
 */

const SPEC = String.raw`\.spec\.ts$`;

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Lift the shared part down into a file that both import.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'core-knows-no-feature',
      comment: 'core is what features share. Pass the difference in through options.',
      severity: 'error',
      from: { path: '^src/core/', pathNot: SPEC },
      to: { path: '^src/', pathNot: '^src/core/' },
    },
    {
      name: 'feature-knows-core-only',
      comment: 'A feature never imports another feature. Lift the shared part into core, or pass it in.',
      severity: 'error',
      from: { path: '^src/([^/]+)/', pathNot: [SPEC, '^src/(core|testing|app)/'] },
      to: { path: '^src/', pathNot: ['^src/$1/', '^src/core/'] },
    },
    {
      name: 'testing-knows-core-only',
      comment: 'The published test helpers stand on core alone: they must work for users of any feature.',
      severity: 'error',
      from: { path: '^src/testing/', pathNot: SPEC },
      to: { path: '^src/', pathNot: '^src/(testing|core)/' },
    },
    {
      name: 'app-imports-by-package-name',
      comment: 'The service uses what a user can: import from "rookery" or "rookery/<feature>".',
      severity: 'error',
      from: { path: '^src/app/' },
      to: { path: '^src/', pathNot: '^src/app/', dependencyTypesNot: ['aliased-tsconfig-paths'] },
    },
    {
      name: 'app-imports-public-entries-only',
      comment: 'Only the index files are public.',
      severity: 'error',
      from: { path: '^src/app/' },
      to: { path: '^src/', pathNot: ['^src/app/', '^src/[^/]+/index[.]ts$'] },
    },
    {
      name: 'index-is-for-users',
      comment: 'Import the file that holds the thing: index files are for users, and from inside they make cycles.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/app/', SPEC] },
      to: { path: '^src/[^/]+/index[.]ts$' },
    },
    {
      name: 'no-import-by-own-name',
      comment: 'Library code reaches its own files by relative path.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/app/', SPEC] },
      to: { dependencyTypes: ['aliased-tsconfig-paths'] },
    },
    {
      name: 'sources-know-no-tests',
      comment: 'What is shipped never imports what is not.',
      severity: 'error',
      from: { path: '^src/', pathNot: SPEC },
      to: { path: ['^(test|scripts|bench)/', SPEC] },
    },
    {
      name: 'library-uses-declared-packages-only',
      comment: 'Library code may use dependencies and peerDependencies of the root package.json, nothing else.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/app/', SPEC] },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'npm-optional'],
        dependencyTypesNot: ['npm', 'npm-peer'],
      },
    },
    {
      name: 'app-uses-its-own-packages-only',
      comment: 'What the service imports stands in src/app/package.json.',
      severity: 'error',
      from: { path: '^src/app/', pathNot: SPEC },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['npm', 'aliased-tsconfig-paths'],
      },
    },
    {
      name: 'resolvable',
      comment: 'The import leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^dist/'] },
    exclude: { path: ['^bench/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
    cache: false,
  },
};

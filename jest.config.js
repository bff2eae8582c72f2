/** One run, three families: pure logic beside its source, real servers, and the whole service over HTTP. */
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^rookery$': '<rootDir>/src/core/index.ts',
    '^rookery/(.*)$': '<rootDir>/src/$1/index.ts',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
};

/** @type {import('jest').Config} */
export default {
  // Most tests wait, for servers and for time to pass: three at a time, also on a machine with two cores.
  maxWorkers: 3,
  // The modules of each file stay in memory, and looking through them takes a worker ever longer: beyond this it is made anew.
  workerIdleMemoryLimit: '1GB',
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/src/**/*.spec.ts', '<rootDir>/scripts/**/*.spec.ts', '<rootDir>/test/unit/**/*.spec.ts'],
    },
    {
      ...shared,
      displayName: 'integration',
      globalSetup: '<rootDir>/test/support/global-setup.js',
      globalTeardown: '<rootDir>/test/support/global-teardown.js',
      testMatch: ['<rootDir>/test/{integration,faults,conformance}/**/*.spec.ts'],
    },
    {
      ...shared,
      displayName: 'e2e',
      globalSetup: '<rootDir>/test/e2e/support/global-setup.js',
      globalTeardown: '<rootDir>/test/e2e/support/global-teardown.js',
      testMatch: ['<rootDir>/test/e2e/**/*.spec.ts'],
      moduleNameMapper: {
        ...shared.moduleNameMapper,
        // An ES module that @fastify/static requires, which Jest can do from Node 24.9 on; this leads to the CommonJS release.
        '^content-disposition$': '<rootDir>/node_modules/content-disposition',
      },
    },
  ],
  // A busy machine takes several times as long; what fails says so by itself, and sooner.
  testTimeout: 90_000,
};

import eslint from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import globals from 'globals';
import tseslint from 'typescript-eslint';

import { docCommentOnExports } from './scripts/lint/doc-comment-on-exports.mjs';

/** Where things live. `library` is what is published; `specs` may be looser, because a test often holds a bad value on purpose. */
const library = ['src/**/*.ts'];
const service = ['src/app/**/*.ts'];
const specs = ['**/*.spec.ts', 'test/**/*.ts'];
const scripts = ['**/*.{js,mjs,cjs}'];

const environment = 'Environment variables are read in src/app/config alone. Library code takes options.';

export default defineConfig(
  globalIgnores(['**/node_modules/', 'dist/', 'coverage/', '.cache/', '.data/', 'bench/', '**/*.gen.ts']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  eslint.configs.recommended,
  {
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx', 'hack'] }],
      'object-shorthand': 'error',
      'prefer-const': 'error',
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Nest's modules are empty classes by design.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // Options are checked at boot, where a JavaScript caller may have passed what the types rule out.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // Nest and its DTOs use classes as the types of plain objects.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-this-alias': 'off',
      // Decorators infer type parameters that they name once, to hand them on.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // An async function without await turns a throw into a rejection, which is what its callers handle.
      '@typescript-eslint/require-await': 'off',
      // `Promise<T> | void` is how Nest's and our own hooks are typed.
      '@typescript-eslint/no-invalid-void-type': [
        'error',
        { allowInGenericTypeArguments: true, allowAsThisParameter: true },
      ],
      'no-restricted-exports': [
        'error',
        {
          restrictDefaultExports: {
            direct: true,
            named: true,
            defaultFrom: true,
            namedFrom: true,
            namespaceFrom: true,
          },
        },
      ],
    },
  },
  {
    files: library,
    ignores: specs,
    rules: {
      'no-console': 'error',
      'no-restricted-properties': ['error', { object: 'process', property: 'env', message: environment }],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            { name: 'node:process', importNames: ['env'], message: environment },
            { name: 'process', message: 'Write node:process.' },
            {
              name: '@nestjs/common',
              importNames: ['forwardRef'],
              message: 'A circle of modules hides a shared part: lift it down.',
            },
          ],
        },
      ],
    },
  },
  {
    files: library,
    ignores: [...service, ...specs],
    plugins: { rookery: { rules: { 'doc-comment-on-exports': docCommentOnExports } } },
    rules: {
      'rookery/doc-comment-on-exports': 'error',
      // The types of a public API are written, never the by-product of a body.
      '@typescript-eslint/explicit-module-boundary-types': 'error',
    },
  },
  {
    files: library,
    ignores: [...service, ...specs, 'src/testing/**', 'src/core/time/clock.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: environment },
        {
          object: 'Date',
          property: 'now',
          message: 'The time of day comes from the injected Clock, so that tests own it.',
        },
      ],
    },
  },
  {
    files: library,
    ignores: [...service, ...specs, '**/*.guard.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['@nestjs/common'],
              importNamePattern: 'Exception$',
              message: 'Library code throws RookeryErrors. Guards, and the application, speak HTTP.',
            },
          ],
        },
      ],
    },
  },
  {
    files: service,
    ignores: specs,
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^rookery/(core|app)(/|$)|^rookery/[^/]+/',
              message: 'The package has no such entry: core is "rookery", a feature is "rookery/<feature>".',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['src/app/config/**/*.ts'],
    rules: { 'no-restricted-properties': 'off', 'no-restricted-imports': 'off' },
  },
  {
    files: specs,
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-implied-eval': 'off',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-empty-function': 'off',
    },
  },
  {
    files: scripts,
    languageOptions: { globals: globals.nodeBuiltin },
  },
);

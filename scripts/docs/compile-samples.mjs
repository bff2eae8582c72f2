import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

import { sourceOf } from './samples.mjs';

/**
 * Compiles all samples in one program against the library's real types, as strictly as the library itself.
 * Only the entries that package.json exports can be imported, as for a user.
 *
 * @param {string} root the project's folder
 * @param {import('./samples.mjs').Sample[]} samples
 * @returns {{ page: string, line: number, message: string }[]}
 */
export function compileSamples(root, samples) {
  const byFile = new Map(samples.map((sample, index) => [join(root, `docs-sample-${index + 1}.ts`), sample]));
  const options = optionsFor(root);
  const program = ts.createProgram([...byFile.keys()], options, hostWith(byFile, options));

  const inOptions = program
    .getOptionsDiagnostics()
    .map((found) => ({ page: 'tsconfig.json', line: 1, ...said(found) }));
  const inSamples = [...byFile].flatMap(([file, sample]) => {
    const parsed = program.getSourceFile(file);
    const found = [...program.getSyntacticDiagnostics(parsed), ...program.getSemanticDiagnostics(parsed)];
    return found.map((diagnostic) => {
      const position = parsed.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line;
      const line = sample.lines[Math.min(position, sample.lines.length - 1)]?.line ?? sample.line;
      return { page: sample.page, line, ...said(diagnostic) };
    });
  });
  return [...inOptions, ...inSamples];
}

function said(diagnostic) {
  return { message: `TS${diagnostic.code} ${ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ')}` };
}

function optionsFor(root) {
  const config = {
    extends: './tsconfig.json',
    compilerOptions: {
      noEmit: true,
      paths: publicEntries(root),
      moduleDetection: 'force',
      // A sample shows what matters: not every name in it is used.
      noUnusedLocals: false,
      noUnusedParameters: false,
      verbatimModuleSyntax: false,
    },
    files: ['sample.ts'],
  };
  return ts.parseJsonConfigFileContent(config, ts.sys, root, {}, join(root, 'tsconfig.docs.json')).options;
}

/** `exports` of package.json, each entry led back to its source. */
function publicEntries(root) {
  const { name, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Object.fromEntries(
    Object.entries(exports)
      .filter(([, target]) => target.types)
      .map(([entry, target]) => [
        name + entry.slice(1),
        [target.types.replace('./dist/', './src/').replace('.d.ts', '.ts')],
      ]),
  );
}

function hostWith(byFile, options) {
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (file) => byFile.has(file) || fileExists(file);
  host.readFile = (file) => (byFile.has(file) ? sourceOf(byFile.get(file)) : readFile(file));
  host.getSourceFile = (file, target, ...rest) =>
    byFile.has(file)
      ? ts.createSourceFile(file, sourceOf(byFile.get(file)), target)
      : getSourceFile(file, target, ...rest);
  return host;
}

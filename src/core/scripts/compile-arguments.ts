import { ScriptArgumentError } from './script-argument.error.js';
import type { ScriptWord } from './script-transport.js';

type ArgumentType = 'string' | 'bytes' | 'integer';

/** A key or an argument as a script's header declares it. */
export interface ScriptParameter {
  readonly name: string;
  /** One value, a tail of values, or a tail of tuples. */
  readonly kind: 'one' | 'list' | 'tuples';
  /** Of tuples, a type for each place; else one type. */
  readonly types: readonly ArgumentType[];
}

/** Appends the values of one set of parameters to a command. */
export type AppendWords = (values: Readonly<Record<string, unknown>>, words: ScriptWord[]) => void;

const CHECKS: Readonly<Record<ArgumentType, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  bytes: (value) => typeof value === 'string' || Buffer.isBuffer(value),
  integer: (value) => Number.isSafeInteger(value),
};

const EXPECTED: Readonly<Record<ArgumentType, string>> = {
  string: 'a string',
  bytes: 'a string or a Buffer',
  integer: 'a safe integer',
};

/**
 * Builds the function that checks values against the declared parameters and appends them in the declared order: once
 * per script.
 *
 * @throws {ScriptArgumentError} from the built function, when a value is not what was declared
 */
export function compileArguments(parameters: readonly ScriptParameter[], script: string): AppendWords {
  const steps = parameters.map((parameter) => compileParameter(parameter, script));
  return (values, words) => {
    for (const step of steps) step(values, words);
  };
}

function compileParameter({ name, kind, types }: ScriptParameter, script: string): AppendWords {
  if (kind === 'one') {
    const append = compileValue(types[0], name, script);
    return (values, words) => append(values[name], words);
  }
  const appendItem = kind === 'list' ? compileValue(types[0], name, script) : compileTuple(types, name, script);
  return (values, words) => {
    const list = values[name];
    if (!Array.isArray(list)) throw new ScriptArgumentError(script, name, 'an array');
    for (const item of list as readonly unknown[]) appendItem(item, words);
  };
}

function compileTuple(types: readonly ArgumentType[], name: string, script: string) {
  const places = types.map((type) => compileValue(type, name, script));
  return (tuple: unknown, words: ScriptWord[]): void => {
    if (!Array.isArray(tuple) || tuple.length !== places.length) {
      throw new ScriptArgumentError(script, name, `made of tuples of ${places.length}`);
    }
    places.forEach((append, index) => append(tuple[index], words));
  };
}

function compileValue(type: ArgumentType = 'string', name: string, script: string) {
  const check = CHECKS[type];
  return (value: unknown, words: ScriptWord[]): void => {
    if (!check(value)) throw new ScriptArgumentError(script, name, EXPECTED[type]);
    words.push(value as ScriptWord);
  };
}

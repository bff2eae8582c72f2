// @ts-check
import { LuaProblem } from './lua-problem.mjs';
import { lineOf, literalNumber, walkVariables } from './parse-body.mjs';

/**
 * `local name = KEYS[1]` or `local name = tonumber(ARGV[1])`, at the top of a script.
 * @typedef {object} Binding
 * @property {'KEYS' | 'ARGV'} table
 * @property {number} index
 * @property {string} name
 * @property {boolean} number through tonumber
 * @property {number} line
 * @property {import('./parse-body.mjs').Node} access the `KEYS[1]` itself
 * @property {import('./parse-body.mjs').Node} variable the bound name itself
 */

/**
 * The bindings that a script opens with, up to its first other statement.
 *
 * @param {import('luaparse').Chunk} chunk
 * @returns {Binding[]}
 */
export function findBindings(chunk) {
  const bindings = [];
  for (const statement of chunk.body) {
    const binding = statement.type === 'LocalStatement' ? readBinding(statement) : undefined;
    if (binding === undefined) break;
    bindings.push(binding);
  }
  return bindings;
}

/**
 * The rule: each declared key and argument, a tail excepted, is bound once, at the top, under its declared name; an
 * integer as a number, everything else as it came; and the bound name keeps its meaning and is used.
 *
 * @param {import('./parse-header.mjs').Header} header
 * @param {import('luaparse').Chunk} chunk
 * @returns {LuaProblem[]}
 */
export function checkBindings(header, chunk) {
  const bindings = findBindings(chunk);
  const declared = [...header.keys, ...header.args];
  return [
    ...declared.filter(({ variadic }) => !variadic).flatMap((parameter) => checkDeclared(parameter, bindings)),
    ...bindings.flatMap((binding) => checkBound(binding, declared)),
    ...checkNames(bindings, chunk),
  ];
}

/**
 * @param {import('luaparse').LocalStatement} statement
 * @returns {Binding | undefined}
 */
function readBinding({ variables, init }) {
  const [variable] = variables;
  const [value] = init;
  if (variable === undefined || value === undefined || variables.length !== 1 || init.length !== 1) return undefined;
  const number = value.type === 'CallExpression' && value.base.type === 'Identifier' && value.base.name === 'tonumber';
  const access = number && value.arguments.length === 1 ? value.arguments[0] : value;
  if (access?.type !== 'IndexExpression' || access.base.type !== 'Identifier') return undefined;
  const { name: table } = access.base;
  const index = literalNumber(access.index);
  if ((table !== 'KEYS' && table !== 'ARGV') || index === undefined) return undefined;
  return { table, index, name: variable.name, number, line: lineOf(variable), access, variable };
}

/**
 * @param {import('./parse-header.mjs').Parameter} parameter
 * @param {readonly Binding[]} bindings
 * @returns {LuaProblem[]}
 */
function checkDeclared({ table, index, name, types, line }, bindings) {
  const place = `${table}[${index}]`;
  const [binding, again] = bindings.filter((each) => each.table === table && each.index === index);
  const isInteger = types[0] === 'integer';
  const code = `local ${name} = ${isInteger ? `tonumber(${place})` : place}`;
  if (binding === undefined) {
    return [new LuaProblem(line, `${table} ${name} is declared but not bound`, `write "${code}" at the top`)];
  }
  const problems = [];
  if (again !== undefined) {
    problems.push(new LuaProblem(again.line, `${place} is bound a second time`, `use "${name}"`));
  }
  if (binding.name !== name) {
    const what = `${place} is bound as "${binding.name}", but the header calls it "${name}"`;
    problems.push(new LuaProblem(binding.line, what, `write "${code}", or correct the header`));
  } else if (binding.number !== isInteger) {
    const what = `${table} ${name} is declared ${types[0]}, but bound ${binding.number ? 'as a number' : 'as it came'}`;
    problems.push(new LuaProblem(binding.line, what, `write "${code}", or correct the header`));
  }
  return problems;
}

/**
 * @param {Binding} binding
 * @param {readonly import('./parse-header.mjs').Parameter[]} declared
 * @returns {LuaProblem[]}
 */
function checkBound({ table, index, line }, declared) {
  const inTable = declared.filter((parameter) => parameter.table === table);
  const tail = inTable.find((parameter) => parameter.variadic);
  const place = `${table}[${index}]`;
  if (tail !== undefined && index >= tail.index) {
    const fix = `read it in a loop, or with unpack(${table}, ${tail.index})`;
    return [new LuaProblem(line, `${place} is bound, but it belongs to the tail "${tail.name}..."`, fix)];
  }
  if (inTable.some((parameter) => parameter.index === index)) return [];
  const fix = `add "${table}  <name>  <type>  <description>", or remove the binding`;
  return [new LuaProblem(line, `${place} is bound, but the header declares ${count(table, inTable.length)}`, fix)];
}

/**
 * @param {readonly Binding[]} bindings
 * @param {import('luaparse').Chunk} chunk
 * @returns {LuaProblem[]}
 */
function checkNames(bindings, chunk) {
  const variables = [...walkVariables(chunk)];
  return bindings.flatMap(({ table, name, line, variable }) => {
    const uses = variables.filter(({ node }) => node.name === name && node !== variable);
    if (uses.length === 0)
      return [new LuaProblem(line, `${table} ${name} is bound but never used`, 'use or remove it')];
    return uses
      .filter(({ node, parents }) => isWritten(node, parents.at(-1)))
      .map(({ node }) => new LuaProblem(lineOf(node), `"${name}" is given another value`, 'use another name'));
  });
}

/**
 * @param {import('./parse-body.mjs').Identifier} node
 * @param {import('./parse-body.mjs').Node | undefined} parent
 * @returns {boolean} whether the variable is declared or assigned here
 */
export function isWritten(node, parent) {
  switch (parent?.type) {
    case 'LocalStatement':
    case 'AssignmentStatement':
    case 'ForGenericStatement':
      return parent.variables.some((variable) => variable === node);
    case 'ForNumericStatement':
      return parent.variable === node;
    case 'FunctionDeclaration':
      return parent.identifier === node || parent.parameters.some((parameter) => parameter === node);
    default:
      return false;
  }
}

/**
 * @param {'KEYS' | 'ARGV'} table
 * @param {number} number
 */
function count(table, number) {
  const noun = table === 'KEYS' ? 'key' : 'argument';
  return number === 0 ? `no ${noun}` : `only ${number} ${noun}${number === 1 ? '' : 's'}`;
}

import { types } from 'node:util';
import { EncodeError } from './codec.errors.js';
import { MAX_DEPTH, type Tag, type Tagged } from './structured-format.js';
import { className, isDirectInstance, isPlainObject } from './value-kind.js';

const NAME = /^[A-Za-z_$][\w$]{0,39}$/;

/**
 * Rewrites a value into one that JSON keeps. What JSON keeps already is not copied: plain data comes back as the same
 * object, so the caller sees from identity whether anything was tagged.
 */
export class StructuredWriter {
  /** Where the walk stands: property names, and positions in lists, maps and sets. */
  private readonly path: (string | number)[] = [];

  write(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value;
      case 'number':
        if (Number.isFinite(value) && !Object.is(value, -0)) return value;
        return tagged('number', value === 0 ? '-0' : String(value));
      case 'bigint':
        return tagged('bigint', value.toString(16));
      case 'undefined':
        return tagged('undefined');
      case 'object':
        return value === null ? null : this.writeObject(value);
      default:
        throw this.refuse(`is a ${typeof value}`);
    }
  }

  private writeObject(value: object): unknown {
    if (this.path.length >= MAX_DEPTH)
      throw this.refuse(`contains itself, or nests more than ${MAX_DEPTH} levels deep`);
    if (Array.isArray(value)) return this.writeArray(value);
    if (types.isDate(value)) return this.writeDate(value);
    if (types.isMap(value)) return this.writeMap(value);
    if (types.isSet(value)) return this.writeSet(value);
    if (types.isUint8Array(value)) return this.writeBytes(value);
    if (isPlainObject(value)) return this.writePlain(value as Record<string, unknown>);
    throw this.refuseInstance(value);
  }

  private writeArray(values: readonly unknown[]): readonly unknown[] {
    if (!isDirectInstance(values, 'Array')) throw this.refuseInstance(values);
    if (Object.keys(values).length > values.length) throw this.refuse('is a list with properties');
    let copy: unknown[] | undefined;
    for (let index = 0; index < values.length; index++) {
      const value = values[index];
      if (value === undefined && !(index in values)) throw this.refuse('is a list with holes');
      const written = this.writeChild(index, value);
      if (written !== value) (copy ??= values.slice())[index] = written;
    }
    return copy ?? values;
  }

  private writePlain(value: Record<string, unknown>): unknown {
    let copy: Record<string, unknown> | undefined;
    // Reflect.ownKeys would show hidden names as well, at twice the cost of all the rest.
    if (Object.getOwnPropertySymbols(value).length > 0) throw this.refuse('has symbol keys');
    for (const name of Object.keys(value)) {
      const property = Object.getOwnPropertyDescriptor(value, name) as PropertyDescriptor;
      if (property.get !== undefined || property.set !== undefined) throw this.refuse('has a getter or a setter');
      const written = this.writeChild(name, property.value);
      // A spread copies a property named __proto__ as it is; assigning to it afterwards then changes that property alone.
      if (written !== property.value) (copy ??= { ...value })[name] = written;
    }
    if (Object.getPrototypeOf(value) === null) return tagged('null', copy ?? value);
    return Object.hasOwn(value, '$') ? tagged('Object', copy ?? value) : (copy ?? value);
  }

  private writeDate(value: Date): Tagged {
    this.refuseAdditions(value, 'Date');
    const ms = Date.prototype.getTime.call(value);
    return tagged('Date', Number.isNaN(ms) ? null : ms);
  }

  private writeMap(value: ReadonlyMap<unknown, unknown>): Tagged {
    this.refuseAdditions(value, 'Map');
    const flat: unknown[] = [];
    for (const [key, item] of value) {
      const index = flat.length / 2;
      flat.push(this.writeChild(index, key), this.writeChild(index, item));
    }
    return tagged('Map', flat);
  }

  private writeSet(value: ReadonlySet<unknown>): Tagged {
    this.refuseAdditions(value, 'Set');
    return tagged(
      'Set',
      Array.from(value, (member, index) => this.writeChild(index, member)),
    );
  }

  private writeBytes(value: Uint8Array): Tagged {
    const name = className(value);
    if (name !== 'Buffer' && name !== 'Uint8Array') throw this.refuseInstance(value);
    return tagged(name, Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'));
  }

  private writeChild(at: string | number, child: unknown): unknown {
    // Text is most of most values, and needs no place on the path.
    if (typeof child === 'string') return child;
    this.path.push(at);
    const written = this.write(child);
    this.path.pop();
    return written;
  }

  /** What a subclass adds, or a property set on the instance, would be lost. */
  private refuseAdditions(value: object, kind: string): void {
    if (!isDirectInstance(value, kind)) throw this.refuseInstance(value);
    if (Reflect.ownKeys(value).length > 0) throw this.refuse(`is a ${kind} with properties of its own`);
  }

  private refuseInstance(value: object): EncodeError {
    const name = className(value);
    return this.refuse(`is an instance of ${name === '' ? 'a class without a name' : name}, and would lose its class`);
  }

  private refuse(why: string): EncodeError {
    const path = this.path.map((at) => (typeof at === 'number' ? `[${at}]` : NAME.test(at) ? `.${at}` : '.<property>'));
    const where = path.length > 20 ? `${path.slice(0, 20).join('')}...` : path.join('');
    return new EncodeError(`The value${where && ` at ${where}`} ${why}. Store plain data, or write a codec for it.`, {
      context: { codec: 'structured', path: where },
    });
  }
}

function tagged(tag: Tag, v?: unknown): Tagged {
  return v === undefined ? { $: tag } : { $: tag, v };
}

import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../../core/errors/configuration.error.js';
import { renderConfig } from './server-config.js';

describe('renderConfig', () => {
  it('keeps each word one word', () => {
    const text = renderConfig(
      [
        ['dir', '/a folder/with "quotes" and \\'],
        ['save', ''],
        ['port', 6379],
      ],
      {},
    );
    expect(text).toBe('dir "/a folder/with \\x22quotes\\x22 and \\x5c"\nsave ""\nport "6379"\n');
  });

  it('writes what is not ASCII byte by byte', () => {
    expect(renderConfig([['requirepass', 'é\n']], {})).toBe('requirepass "\\xc3\\xa9\\x0a"\n');
  });

  it('puts extra directives last, where they win, as they are written', () => {
    const text = renderConfig([['save', '']], { maxmemory: '2mb', save: ['900 1', '60 1000'] });
    expect(text).toBe('save ""\nmaxmemory 2mb\nsave 900 1\nsave 60 1000\n');
  });

  it('refuses a line break, which would add a directive', () => {
    expect(() => renderConfig([], { maxmemory: '2mb\nrequirepass x' })).toThrow(ConfigurationError);
    expect(() => renderConfig([], { 'a\nb': 1 })).toThrow(/args\."a\\nb"/);
  });
});

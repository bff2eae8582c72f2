/** Compiled and never run: how the types of a journal reach its users. */
import { defineWriteBehind } from '../../src/cache/write-behind/define-write-behind.js';
import type { WriteBehind } from '../../src/cache/write-behind/write-behind.js';
import { WriteBehindModule } from '../../src/cache/write-behind/write-behind.module.js';

class ViewsRepository {
  add(batch: readonly { readonly key: number; readonly value: number }[], batchId: string): Promise<void> {
    return Promise.resolve(void [batch, batchId]);
  }
}
const DATABASE = Symbol('database');

const VIEWS = defineWriteBehind<number, number>({ name: 'views', mode: 'add' });
const PROFILES = defineWriteBehind<{ readonly name: string }>({ name: 'profiles', mode: 'replace' });

// @ts-expect-error -- only numbers can be added
defineWriteBehind<{ readonly name: string }>({ name: 'profiles', mode: 'add' });

export const modules = [
  WriteBehindModule.register(VIEWS, {
    inject: [ViewsRepository],
    // What is injected is known by its class, and the batch by the definition.
    useFactory: (repository) => ({ flush: (batch, { batchId }) => repository.add(batch, batchId), interval: '1s' }),
  }),
  WriteBehindModule.register(PROFILES, {
    inject: [DATABASE],
    useFactory: (database: { save(key: string | number, name: string): Promise<void> }) => ({
      flush: async (batch) => {
        for (const { key, value } of batch) await database.save(key, value.name);
      },
    }),
  }),
  // @ts-expect-error -- a number of milliseconds, or of seconds?
  WriteBehindModule.register(VIEWS, { useFactory: () => ({ flush: () => Promise.resolve(), interval: 1000 }) }),
];

export async function use(views: WriteBehind<number, number>): Promise<number> {
  await views.write(42, 1, { id: 'request-1' });
  // @ts-expect-error -- keys have a type
  await views.write('42', 1);
  // @ts-expect-error -- and so have values
  await views.write(42, '1');
  return (await views.pending(42)) ?? 0;
}

/** Nothing here runs: that it compiles is the test, and that what is marked does not. */
import type { Session, SessionService } from '../../src/session/index.js';

interface ShopAttributes {
  cart: readonly { readonly id: number }[];
  theme: 'dark' | 'light';
}

export function attributes(session: Session<ShopAttributes>, any: Session): void {
  const theme: 'dark' | 'light' | undefined = session.get('theme');
  session.set('theme', theme ?? 'dark').set('cart', []);
  session.set('cart', undefined);
  // @ts-expect-error -- no such attribute
  session.get('them');
  // @ts-expect-error -- no such value
  session.set('theme', 'blue');
  // @ts-expect-error -- it may not be there
  const count: number = session.get('cart').length;
  session.set('cart', [{ id: count }]);
  const unknownValue: unknown = any.get('whatever');
  any.set('whatever', unknownValue);
  // @ts-expect-error -- nobody knows what it holds
  any.set('length', any.get('whatever').length);
}

export async function service(sessions: SessionService, token: string): Promise<void> {
  await sessions.create<ShopAttributes>({ userId: 7, attributes: { theme: 'dark' }, idleTimeout: '7d' });
  // @ts-expect-error -- no such value
  await sessions.create<ShopAttributes>({ attributes: { theme: 'blue' } });
  // @ts-expect-error -- a duration has a unit
  await sessions.create({ idleTimeout: 900 });
  await sessions.update<ShopAttributes>(token, { cart: undefined });
  const session = await sessions.get<ShopAttributes>(token);
  session?.get('theme');
  const user: string | null | undefined = session?.userId;
  // @ts-expect-error -- it may be nobody
  await sessions.count(user);
}

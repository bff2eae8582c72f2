import { Injectable, type OnModuleInit } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';

/** Hashes passwords by Argon2id with 19 MiB and two passes, off the main thread; salt and parameters are part of the hash. */
@Injectable()
export class Passwords implements OnModuleInit {
  #nobodys = '';

  async onModuleInit(): Promise<void> {
    this.#nobodys = await hash('');
  }

  async hash(password: string): Promise<string> {
    return hash(password);
  }

  /** Takes as long when there is no such user: who asks does not learn whether there is. */
  async matches(password: string, userHash: string | undefined): Promise<boolean> {
    const matched = await verify(userHash ?? this.#nobodys, password);
    return matched && userHash !== undefined;
  }
}

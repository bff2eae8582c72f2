/** Somebody who can log in. Never holds the password, nor its hash. */
export interface User {
  readonly id: number;
  readonly email: string;
  readonly name: string;
}

/** What is known of somebody who registers. */
export interface Registration {
  readonly email: string;
  readonly name: string;
  readonly password: string;
}

/** What somebody says to be let in. */
export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** Somebody who was let in, and by which password. Stays within the service. */
export interface Login {
  readonly user: User;
  readonly passwordHash: string;
}

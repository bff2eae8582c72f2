/** What all processes of the tests sign with. */
export const SECRET = 'a secret of the tests, of 32 characters or more';

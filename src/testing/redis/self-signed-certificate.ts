import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A certificate and its private key. */
export interface SelfSignedCertificate {
  /** PEM. Its own authority: give it to clients as `ca`. */
  readonly cert: string;
  /** PEM (PKCS #8). */
  readonly key: string;
}

const DAY_MS = 86_400_000;
const ECDSA_WITH_SHA256 = sequence(oid(1, 2, 840, 10045, 4, 3, 2));
const COMMON_NAME = sequence(set(sequence(oid(2, 5, 4, 3), tagged(0x0c, Buffer.from('Rookery test server')))));

/**
 * A certificate for `localhost` and `127.0.0.1`, valid from yesterday for a month, with a P-256 key of its own. Node can
 * sign but not write certificates, and `openssl` is not on every machine, so the few fields of X.509 (RFC 5280) that are
 * needed are encoded here, in DER.
 */
export function createSelfSignedCertificate(): SelfSignedCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const content = sequence(
    tagged(0xa0, integer(2)),
    tagged(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(8)])),
    ECDSA_WITH_SHA256,
    COMMON_NAME,
    sequence(time(Date.now() - DAY_MS), time(Date.now() + 30 * DAY_MS)),
    COMMON_NAME,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(mayActAsAuthority(), alternativeNames())),
  );
  const signature = sign('sha256', content, privateKey);
  const der = sequence(content, ECDSA_WITH_SHA256, bitString(signature));
  return { cert: pem('CERTIFICATE', der), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

/** basicConstraints, critical: OpenSSL 3 wants it of a certificate that vouches for itself. */
function mayActAsAuthority(): Buffer {
  const yes = tagged(0x01, Buffer.from([0xff]));
  return sequence(oid(2, 5, 29, 19), yes, tagged(0x04, sequence(yes)));
}

function alternativeNames(): Buffer {
  const names = sequence(tagged(0x82, Buffer.from('localhost')), tagged(0x87, Buffer.from([127, 0, 0, 1])));
  return sequence(oid(2, 5, 29, 17), tagged(0x04, names));
}

function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...derLength(body.length)]), body]);
}

function derLength(length: number): number[] {
  if (length < 0x80) return [length];
  if (length < 0x100) return [0x81, length];
  return [0x82, length >> 8, length & 0xff];
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, ...parts);
}

function set(...parts: readonly Buffer[]): Buffer {
  return tagged(0x31, ...parts);
}

function integer(value: number): Buffer {
  return tagged(0x02, Buffer.from([value]));
}

function bitString(bytes: Buffer): Buffer {
  return tagged(0x03, Buffer.from([0]), bytes);
}

/** UTCTime, which X.509 wants until 2049: YYMMDDHHMMSSZ. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14);
  return tagged(0x17, Buffer.from(`${digits}Z`));
}

/** The first two numbers share a byte, the others are base 128 with a continuation bit. */
function oid(first: number, second: number, ...rest: readonly number[]): Buffer {
  const bytes = [first * 40 + second];
  for (const number of rest) {
    const digits = [number & 0x7f];
    for (let left = number >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return tagged(0x06, Buffer.from(bytes));
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

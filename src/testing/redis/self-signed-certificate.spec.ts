import { X509Certificate, createPrivateKey } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createSelfSignedCertificate } from './self-signed-certificate.js';

describe('createSelfSignedCertificate', () => {
  const { cert, key } = createSelfSignedCertificate();
  const certificate = new X509Certificate(cert);

  it('is good for localhost and 127.0.0.1, and for nobody else', () => {
    expect(certificate.checkHost('localhost')).toBe('localhost');
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(certificate.checkHost('example.com')).toBeUndefined();
  });

  it('is signed by itself and may vouch for itself', () => {
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkIssued(certificate)).toBe(true);
    expect(certificate.ca).toBe(true);
  });

  it('comes with its private key', () => {
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
  });

  it('is valid now, and for about a month', () => {
    const days = (text: string): number => (Date.parse(text) - Date.now()) / 86_400_000;
    expect(days(certificate.validFrom)).toBeCloseTo(-1, 2);
    expect(days(certificate.validTo)).toBeCloseTo(30, 2);
  });

  it('has a serial number and a key of its own', () => {
    const other = createSelfSignedCertificate();
    expect(new X509Certificate(other.cert).serialNumber).not.toBe(certificate.serialNumber);
    expect(other.key).not.toBe(key);
  });
});

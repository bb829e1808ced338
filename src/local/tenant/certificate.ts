import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { createKept, readKept, replaceKept, unreadable } from '../files.ts';
import { EMULATOR_HOST } from './requestSource.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const VALID_DAYS = 365;
const RENEW_DAYS = 30;

interface Kept {
  /** The PEM file. */
  path: string;
  /** PEM. A renewed certificate keeps this key: only one file changes, so no crash can leave a mismatched pair. */
  tlsKey: string;
  clock: Clock;
}

/**
 * The stored TLS certificate for `localhost`. A missing one is made, one near its end is renewed.
 *
 * @throws {DevError} when the file holds something else.
 */
export async function loadCertificate({ path, tlsKey, clock }: Kept): Promise<string> {
  const kept = readKept(path);
  if (kept === undefined) {
    createKept(path, await makeCertificate(tlsKey, clock));
    return readKept(path) ?? '';
  }
  if (isCurrent(readCertificate(path, kept, tlsKey), clock)) return kept;
  const renewed = await makeCertificate(tlsKey, clock);
  replaceKept(path, renewed);
  return renewed;
}

function readCertificate(path: string, pem: string, tlsKey: string): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch (cause) {
    throw unreadable(path, 'it is damaged, or not a certificate', cause);
  }
  if (!certificate.checkPrivateKey(createPrivateKey(tlsKey))) throw unreadable(path, 'it belongs to another key');
  return certificate;
}

function isCurrent(certificate: X509Certificate, clock: Clock): boolean {
  const now = clock.now();
  return certificate.validFromDate.getTime() <= now && certificate.validToDate.getTime() > now + RENEW_DAYS * DAY_MS;
}

async function makeCertificate(tlsKey: string, clock: Clock): Promise<string> {
  // Imported only when needed: it is large, and almost every start finds its certificate.
  const { generate } = await import('selfsigned');
  const publicKey = createPublicKey(tlsKey).export({ type: 'spki', format: 'pem' }).toString();
  const { cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    keyPair: { privateKey: tlsKey, publicKey },
    // A day in the past, for clocks that differ a little (a virtual machine, a container).
    notBeforeDate: new Date(clock.now() - DAY_MS),
    notAfterDate: new Date(clock.now() + VALID_DAYS * DAY_MS),
    extensions: [
      // Not an authority: whoever trusts it trusts this one server, and nothing that its key might sign.
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
          { type: 7, ip: EMULATOR_HOST },
        ],
      },
    ],
  });
  return cert.endsWith('\n') ? cert : `${cert}\n`;
}

// A role's own certificate, looked at before any connection is made: most mistakes show here, with a clearer message
// than a failed handshake can give.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { CryptorchError } from '../errors';
import { type Role, roleName, roleUri } from './role';

/** PEM texts: own certificate and key, and the certificate of the authority that all roles trust. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/**
 * @throws CryptorchError CERTIFICATE where the certificate is not for this role, not valid now, not from this authority,
 * or not that of the key
 */
export function checkCertificate(files: TlsFiles, deployment: string, role: Role, what: string): void {
  const refuse = (why: string, cause?: unknown): CryptorchError =>
    new CryptorchError(
      'CERTIFICATE',
      `${what} cannot be used by ${roleName(role)} of "${deployment}": ${why}.`,
      { file: what, deployment, role },
      cause,
    );
  const [certificate, ca] = [read(files.cert, refuse), read(files.ca, refuse)];
  const names = (certificate.subjectAltName ?? '').split(', ').filter((name) => name.startsWith('URI:'));
  const wanted = `URI:${roleUri(deployment, role)}`;
  if (!names.includes(wanted)) throw refuse(`it is for ${names.join(', ') || 'no role'}, not for ${wanted}`);
  const now = Date.now();
  if (now < Date.parse(certificate.validFrom))
    throw refuse(`it is not valid before ${certificate.validFrom}`);
  if (now > Date.parse(certificate.validTo)) throw refuse(`it expired on ${certificate.validTo}`);
  if (!certificate.checkIssued(ca) || !certificate.verify(ca.publicKey)) {
    throw refuse('it was not issued by the authority of the configuration');
  }
  let fits: boolean;
  try {
    fits = certificate.checkPrivateKey(createPrivateKey(files.key));
  } catch {
    // Without the cause: what a parser says about a key file may quote it.
    throw refuse('its key cannot be read');
  }
  if (!fits) throw refuse('its key belongs to another certificate');
}

function read(pem: string, refuse: (why: string, cause: unknown) => Error): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw refuse('it cannot be read as a certificate in PEM form', cause);
  }
}

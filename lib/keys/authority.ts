// A certificate authority for one deployment: it signs one certificate per role and nothing else. Whoever holds its key
// can take any role, so it is best kept by somebody who takes none, or by all on paper.

import { createPrivateKey, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import { CryptorchError } from '../errors';
import { type Role, roleName, roleUri } from './role';
import { ALGORITHM, generateKeys, type KeyPair, privatePem, x509 } from './x509';

type CryptoKey = webcrypto.CryptoKey;

/** A certificate and its private key, as PEM text. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

export interface Validity {
  readonly from?: Date;
  readonly days: number;
}

export interface RoleOptions extends Validity {
  readonly role: Role;
  /** DNS names and IP addresses under which the role is reached. */
  readonly hosts?: readonly string[];
}

/** Certificates are valid from a little earlier, because clocks differ. */
const SLACK_MS = 5 * 60_000;
const DAY_MS = 86_400_000;

function period({ from = new Date(Date.now() - SLACK_MS), days }: Validity): {
  notBefore: Date;
  notAfter: Date;
} {
  return { notBefore: from, notAfter: new Date(from.getTime() + days * DAY_MS) };
}

/** Serial numbers as RFC 5280 wants them: positive, at most 20 bytes. */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0]! &= 0x7f;
  bytes[0]! |= 0x01;
  return Buffer.from(bytes).toString('hex');
}

export class Authority {
  private constructor(
    readonly deployment: string,
    private readonly root: x509.X509Certificate,
    private readonly key: CryptoKey,
  ) {}

  static async create(
    deployment: string,
    validity: Validity,
  ): Promise<{ authority: Authority; identity: Identity }> {
    const keys = await generateKeys();
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: serialNumber(),
      name: [{ CN: [`${deployment} authority`] }],
      ...period(validity),
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    const identity = { certificate: `${root.toString('pem')}\n`, key: await privatePem(keys.privateKey) };
    return { authority: new Authority(deployment, root, keys.privateKey), identity };
  }

  /**
   * @throws CryptorchError CERTIFICATE where the files are no authority or belong to another deployment
   */
  static async load(deployment: string, identity: Identity, what: string): Promise<Authority> {
    const refuse = (why: string, cause?: unknown): CryptorchError =>
      new CryptorchError(
        'CERTIFICATE',
        `${what} is not the authority of "${deployment}": ${why}.`,
        { file: what },
        cause,
      );
    let root: x509.X509Certificate;
    let key: CryptoKey;
    try {
      root = new x509.X509Certificate(identity.certificate);
      const der = createPrivateKey(identity.key).export({ type: 'pkcs8', format: 'der' });
      key = await webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
    } catch (cause) {
      throw refuse('it cannot be read as a certificate with a P-256 key', cause);
    }
    const [name] = root.subjectName.getField('CN');
    if (name !== `${deployment} authority`) throw refuse(`its name is ${JSON.stringify(name)}`);
    return new Authority(deployment, root, key);
  }

  /** A new key and its certificate. */
  async issue(options: RoleOptions): Promise<Identity> {
    const keys = await generateKeys();
    return {
      certificate: await this.certify(keys.publicKey, options),
      key: await privatePem(keys.privateKey),
    };
  }

  /**
   * A certificate for the key of a request. The role is the one given here: what the request says must agree with it.
   * @throws CryptorchError CERTIFICATE
   */
  async sign(request: string, options: RoleOptions, what = 'the request'): Promise<string> {
    const refuse = (why: string, cause?: unknown): CryptorchError =>
      new CryptorchError('CERTIFICATE', `Cannot sign ${what}: ${why}.`, { file: what }, cause);
    let parsed: x509.Pkcs10CertificateRequest;
    let valid: boolean;
    try {
      parsed = new x509.Pkcs10CertificateRequest(request);
      valid = await parsed.verify();
    } catch (cause) {
      throw refuse('it cannot be read as a certificate request', cause);
    }
    if (!valid) throw refuse('its signature is wrong');
    const alternative = parsed.extensions.find((e) => e instanceof x509.SubjectAlternativeNameExtension);
    const names = alternative?.names.items ?? [];
    const asked = names.filter((n) => n.type === 'url').map((n) => n.value);
    const wanted = roleUri(this.deployment, options.role);
    if (asked.length !== 1 || asked[0] !== wanted) {
      throw refuse(`it asks for the role ${asked.join(', ') || 'of nobody'}, not ${wanted}`);
    }
    return this.certify(await parsed.publicKey.export(), options);
  }

  private async certify(publicKey: CryptoKey, options: RoleOptions): Promise<string> {
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: [{ CN: [`${this.deployment} ${roleName(options.role)}`] }],
      issuer: this.root.subjectName,
      ...period(options),
      publicKey,
      signingKey: this.key,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.clientAuth,
          x509.ExtendedKeyUsage.serverAuth,
        ]),
        new x509.SubjectAlternativeNameExtension(alternativeNames(this.deployment, options)),
        await x509.SubjectKeyIdentifierExtension.create(publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(this.root),
      ],
    });
    return `${certificate.toString('pem')}\n`;
  }
}

/** A new key with a request for a certificate of a role: the key never leaves who makes it. */
export async function createRequest(
  deployment: string,
  role: Role,
): Promise<{ readonly request: string; readonly key: string }> {
  const keys: KeyPair = await generateKeys();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [`${deployment} ${roleName(role)}`] }],
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: roleUri(deployment, role) }]),
    ],
  });
  return { request: `${request.toString('pem')}\n`, key: await privatePem(keys.privateKey) };
}

function alternativeNames(deployment: string, options: RoleOptions): x509.JsonGeneralName[] {
  const hosts = (options.hosts ?? []).map(
    (value): x509.JsonGeneralName => ({ type: isIP(value) ? 'ip' : 'dns', value }),
  );
  return [{ type: 'url', value: roleUri(deployment, options.role) }, ...hosts];
}

import { X509Certificate } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { Authority, createRequest } from '../../lib/keys/authority';
import { checkCertificate } from '../../lib/keys/check';
import { parseRole, type Role, roleFile, roleName, roleUri } from '../../lib/keys/role';
import { cryptorch, temporaryFolder } from '../helpers/cli';
import { coded } from '../helpers/errors';

test('roles are written in one way and read in several', (t) => {
  for (const [text, role] of [
    ['dealer', 'dealer'],
    ['party:0', 0],
    ['party-1', 1],
    ['party 12', 12],
    ['3', 3],
  ] as const) {
    t.is(parseRole(text), role);
    t.is(parseRole(roleName(role)), role);
    t.is(parseRole(roleFile(role)), role);
  }
  for (const text of ['', 'party', 'party:', 'party:-1', 'party:100', 'Dealer', '0x1']) {
    t.throws(() => parseRole(text), coded('INVALID_OPTION'), text);
  }
  t.is(roleUri('digits', 0), 'urn:cryptorch:digits:party:0');
  t.is(roleUri('digits', 'dealer'), 'urn:cryptorch:digits:dealer');
});

test('a certificate names its role and hosts, and fits its key and authority', async (t) => {
  const { authority, identity } = await Authority.create('digits', { days: 10 });
  const { certificate, key } = await authority.issue({
    role: 1,
    days: 3,
    hosts: ['example.org', '10.0.0.1', '::1'],
  });
  const parsed = new X509Certificate(certificate);
  t.is(
    parsed.subjectAltName,
    'URI:urn:cryptorch:digits:party:1, DNS:example.org, IP Address:10.0.0.1, IP Address:0:0:0:0:0:0:0:1',
  );
  t.false(parsed.ca);
  t.true(new X509Certificate(identity.certificate).ca);
  const files = { cert: certificate, key, ca: identity.certificate };
  t.notThrows(() => checkCertificate(files, 'digits', 1, 'party-1.pem'));
});

test('a certificate that cannot serve is refused before any connection', async (t) => {
  const { authority, identity } = await Authority.create('digits', { days: 10 });
  const other = await Authority.create('digits', { days: 10 });
  const mine = await authority.issue({ role: 0, days: 1 });
  const dealer = await authority.issue({ role: 'dealer', days: 1 });
  const foreign = await other.authority.issue({ role: 0, days: 1 });
  const expired = await authority.issue({ role: 0, days: 1, from: new Date(Date.now() - 2 * 86_400_000) });
  const early = await authority.issue({ role: 0, days: 1, from: new Date(Date.now() + 86_400_000) });
  const ca = identity.certificate;
  const refused = (files: { cert: string; key: string }, why: RegExp, deployment = 'digits'): void => {
    t.throws(() => checkCertificate({ ca, ...files }, deployment, 0, 'here.pem'), coded('CERTIFICATE', why));
  };
  const as = ({ certificate, key }: { certificate: string; key: string }): { cert: string; key: string } => ({
    cert: certificate,
    key,
  });
  refused(as(dealer), /party 0 of "digits": it is for URI:urn:cryptorch:digits:dealer/);
  refused(as(mine), /not for URI:urn:cryptorch:letters:party:0/, 'letters');
  refused(as(foreign), /not issued by the authority/);
  refused(as(expired), /it expired on/);
  refused(as(early), /not valid before/);
  refused({ ...as(mine), key: dealer.key }, /key belongs to another certificate/);
  refused({ ...as(mine), key: 'SECRET' }, /key cannot be read\.$/);
  refused({ ...as(mine), cert: 'nothing' }, /cannot be read as a certificate/);
});

test('a request is signed for the role that it asks for, and no other', async (t) => {
  const { authority, identity } = await Authority.create('digits', { days: 10 });
  const { request, key } = await createRequest('digits', 1);
  const cert = await authority.sign(request, { role: 1, days: 1 });
  t.notThrows(() => checkCertificate({ cert, key, ca: identity.certificate }, 'digits', 1, 'it'));
  const refused = async (text: string, role: Role, why: RegExp): Promise<void> => {
    await t.throwsAsync(authority.sign(text, { role, days: 1 }, 'r.csr'), coded('CERTIFICATE', why));
  };
  await refused(request, 'dealer', /asks for the role urn:cryptorch:digits:party:1/);
  await refused(
    (await createRequest('letters', 1)).request,
    1,
    /asks for the role urn:cryptorch:letters:party:1/,
  );
  await refused('nothing', 1, /cannot be read/);
  const der = Buffer.from(request.split('\n').slice(1, -2).join(''), 'base64');
  der[der.length - 5]! ^= 1;
  const changed = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  await refused(changed, 1, /signature is wrong|cannot be read/);
});

test('an authority is read again, and only for its deployment', async (t) => {
  const { identity } = await Authority.create('digits', { days: 10 });
  const again = await Authority.load('digits', identity, 'ca.pem');
  const { certificate, key } = await again.issue({ role: 'dealer', days: 1 });
  t.notThrows(() =>
    checkCertificate({ cert: certificate, key, ca: identity.certificate }, 'digits', 'dealer', 'it'),
  );
  await t.throwsAsync(
    Authority.load('letters', identity, 'ca.pem'),
    coded('CERTIFICATE', /"digits authority"/),
  );
  await t.throwsAsync(Authority.load('digits', { ...identity, key: 'x' }, 'ca.pem'), coded('CERTIFICATE'));
});

test('keygen writes an authority and one key per role, private to its owner, and overwrites nothing', async (t) => {
  t.timeout(120_000);
  const out = join(await temporaryFolder(t), 'keys');
  const keygen = (...args: string[]): ReturnType<typeof cryptorch> =>
    cryptorch('keygen', ...args, '--deployment', 'digits');
  const made = await keygen('--out', out, '--roles', 'dealer,party:0', '--host', 'dealer=dealer.example');
  t.is(made.code, 0, made.stderr);
  for (const name of ['ca.key', 'dealer.key', 'party-0.key']) {
    t.is((await stat(join(out, name))).mode & 0o777, 0o600, name);
  }
  t.regex(
    new X509Certificate(await readFile(join(out, 'dealer.pem'))).subjectAltName!,
    /DNS:dealer\.example$/,
  );
  const again = await keygen('--out', out, '--roles', 'dealer');
  t.is(again.code, 1);
  t.regex(again.stderr, /dealer\.key.*ERR_CRYPTORCH_FILE/);

  const theirs = join(out, 'theirs');
  t.is((await keygen('request', '--role', 'party:1', '--out', theirs)).code, 0);
  t.is((await stat(join(theirs, 'party-1.key'))).mode & 0o777, 0o600);
  const certificate = join(theirs, 'party-1.pem');
  const csr = join(theirs, 'party-1.csr');
  const signed = await keygen('sign', csr, '--role', 'party:1', '--authority', out, '--out', certificate);
  t.is(signed.code, 0, signed.stderr);
  const files = {
    cert: await readFile(certificate, 'utf8'),
    key: await readFile(join(theirs, 'party-1.key'), 'utf8'),
    ca: await readFile(join(out, 'ca.pem'), 'utf8'),
  };
  t.notThrows(() => checkCertificate(files, 'digits', 1, 'it'));

  await writeFile(csr, 'nothing');
  t.is(
    (await keygen('sign', csr, '--role', 'party:1', '--authority', out, '--out', `${certificate}2`)).code,
    1,
  );
  t.is((await keygen('--out', out, '--roles', 'party:2')).code, 1);
  t.is((await keygen('--out', out, '--roles', 'nobody')).code, 2);
  t.is((await cryptorch('keygen', '--out', out)).code, 2);
});

test('an authority by itself signs what roles request', async (t) => {
  t.timeout(120_000);
  const out = await temporaryFolder(t);
  const [authority, theirs] = [join(out, 'authority'), join(out, 'theirs')];
  const keygen = (...args: string[]): ReturnType<typeof cryptorch> =>
    cryptorch('keygen', ...args, '--deployment', 'digits');
  t.is((await keygen('authority', '--out', authority, '--days', '30')).code, 0);
  t.deepEqual((await readdir(authority)).sort(), ['ca.key', 'ca.pem']);
  t.is((await stat(join(authority, 'ca.key'))).mode & 0o777, 0o600);
  t.is((await keygen('request', '--role', 'dealer', '--out', theirs)).code, 0);
  const [csr, pem] = [join(theirs, 'dealer.csr'), join(theirs, 'dealer.pem')];
  t.is((await keygen('sign', csr, '--role', 'dealer', '--authority', authority, '--out', pem)).code, 0);
  const files = {
    cert: await readFile(pem, 'utf8'),
    key: await readFile(join(theirs, 'dealer.key'), 'utf8'),
    ca: await readFile(join(authority, 'ca.pem'), 'utf8'),
  };
  t.notThrows(() => checkCertificate(files, 'digits', 'dealer', 'it'));
  t.is((await keygen('authority', '--out', authority)).code, 1, 'an authority is never replaced');
  t.is(await readFile(join(authority, 'ca.pem'), 'utf8'), files.ca);
});

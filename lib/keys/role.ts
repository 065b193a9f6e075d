// Roles of a deployment, as people write them and as certificates carry them.
//
// A certificate says which role its holder plays in a subject alternative name of type URI:
// urn:cryptorch:DEPLOYMENT:party:0 or urn:cryptorch:DEPLOYMENT:dealer. Its common name is for people only.

import { CryptorchError } from '../errors';

/** A party's index, or the dealer. */
export type Role = number | 'dealer';

/** party 0, dealer */
export function roleName(role: Role): string {
  return role === 'dealer' ? role : `party ${role}`;
}

/** Name of a role's files: party-0, dealer */
export function roleFile(role: Role): string {
  return roleName(role).replace(' ', '-');
}

/**
 * Reads "dealer", "party:0" or "0".
 * @throws CryptorchError INVALID_OPTION
 */
export function parseRole(text: string): Role {
  const match = /^(?:party[: -])?(\d{1,2})$/.exec(text.trim());
  if (match) return Number(match[1]);
  if (text.trim() === 'dealer') return 'dealer';
  throw new CryptorchError(
    'INVALID_OPTION',
    `A role is "dealer" or "party:0" and so on, not ${JSON.stringify(text)}.`,
  );
}

export function roleUri(deployment: string, role: Role): string {
  return `urn:cryptorch:${deployment}:${role === 'dealer' ? role : `party:${role}`}`;
}

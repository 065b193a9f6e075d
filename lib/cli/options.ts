// Parsers for option values of the command line. A value that cannot be meant throws InvalidArgumentError, which
// commander reports as a usage error; whether names exist in the model is for the compiler to say.

import { InvalidArgumentError } from 'commander';
import type { KnobValue, Selection } from '../compiler/approximations';
import type { OwnerName } from '../compiler/compile';

/** Collects `NAME=FILE` of a repeatable option. */
export function parseInput(
  text: string,
  before: ReadonlyMap<string, string> = new Map(),
): Map<string, string> {
  const at = text.indexOf('=');
  if (at <= 0 || at === text.length - 1) throw new InvalidArgumentError('Write NAME=FILE.npy.');
  const name = text.slice(0, at);
  if (before.has(name)) throw new InvalidArgumentError(`The input ${name} is given twice.`);
  return new Map([...before, [name, text.slice(at + 1)]]);
}

/** Collects `NAME=PARTY,NAME=secret,...` of a repeatable option. */
export function parseOwners(
  text: string,
  before: Readonly<Record<string, OwnerName>> = {},
): Record<string, OwnerName> {
  const owners: Record<string, OwnerName> = { ...before };
  for (const part of text.split(',')) {
    const match = /^(.+)=(\d+|secret|public)$/.exec(part.trim());
    if (!match)
      throw new InvalidArgumentError('Write NAME=PARTY, NAME=secret or NAME=public, separated by commas.');
    const [, name, owner] = match as unknown as [string, string, string];
    if (Object.hasOwn(owners, name)) throw new InvalidArgumentError(`The owner of ${name} is given twice.`);
    owners[name] = /^\d/.test(owner) ? Number(owner) : (owner as OwnerName);
  }
  return owners;
}

/** Collects `NAME=1,3,224,224` of a repeatable option. */
export function parseShape(
  text: string,
  before: Readonly<Record<string, readonly number[]>> = {},
): Record<string, readonly number[]> {
  const match = /^(.+)=([\d, ]+)$/.exec(text);
  if (!match) throw new InvalidArgumentError('Write NAME=DIM,DIM,... with positive whole numbers.');
  const [, name, dims] = match as unknown as [string, string, string];
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`The shape of ${name} is given twice.`);
  return { ...before, [name]: dims.split(',').map((d) => integerFrom(1)(d.trim())) };
}

/** A knob's value as it is meant: a number or a truth value where it reads as one. */
function knobValue(text: string): KnobValue {
  if (text === 'true' || text === 'false') return text === 'true';
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** Collects `FUNCTION=NAME` or `FUNCTION=NAME,KNOB=VALUE,...` of a repeatable option. */
export function parseApproximation(
  text: string,
  before: Readonly<Record<string, Selection>> = {},
): Record<string, Selection> {
  const [first, ...rest] = text.split(',');
  const match = /^([^=]+)=([^=]+)$/.exec(first!);
  const knobs = rest.map((part) => /^([^=]+)=([^=]+)$/.exec(part));
  if (match === null || knobs.includes(null))
    throw new InvalidArgumentError(
      'Write FUNCTION=NAME or FUNCTION=NAME,KNOB=VALUE, such as exp=cryptorch,bits=7.',
    );
  const [, fn, name] = match as unknown as [string, string, string];
  if (Object.hasOwn(before, fn)) throw new InvalidArgumentError(`The approximation of ${fn} is given twice.`);
  const values = Object.fromEntries(knobs.map((knob) => [knob![1], knobValue(knob![2]!)]));
  return { ...before, [fn]: { ...values, name } };
}

/** A whole number of at least `least`. */
export function integerFrom(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`Write a whole number of at least ${least}.`);
    }
    return value;
  };
}

// Functions of one number that the protocols do not compute by themselves, and the ways in which they can be: which one is
// taken is apart from what is computed and from how it is run.
//
// An operator of a model emits `approximate` with the name of a function. Once ranges and scales are known
// (passes/fixed-point.ts), an approximation turns it into core operations. A function is defined once, in a file of its
// own; an approximation serves every function that it can. Errors are computed from the tables or coefficients that are
// made, rounds and bytes are read off the program as for any operator: nothing is declared.

import { CryptorchError } from '../../errors';
import type { Attributes } from '../ir/graph';
import type { CoreOp } from '../ops/core';

export interface Domain {
  readonly lo: number;
  readonly hi: number;
}

export interface ScalarFunction {
  readonly name: string;
  /** The function for given parameters, on doubles. */
  of(params: readonly number[]): (x: number) => number;
  /** Operands that it is meant for where nothing is known of them. */
  domain(params: readonly number[]): Domain;
  /** Operands that it exists for at all: no more than these are taken from a calibration. */
  exists(params: readonly number[]): Domain;
  /** What the tolerance is multiplied by. Default 1. */
  readonly precision?: number;
  /** Beyond these ends of `domain` the function keeps, as well as it is approximated, the value that it has there. */
  readonly saturates?: { readonly lo: boolean; readonly hi: boolean };
  /** Whether errors count relative to the result, not to the largest one. */
  readonly relative: boolean;
  /** The function is one of x - origin alone, wide ranges of which have the same relative shape everywhere. */
  origin?(params: readonly number[]): number;
}

/** What is to be approximated, and on which operands. */
export interface Request {
  readonly name: string;
  readonly fn: (x: number) => number;
  readonly domain: Domain;
  readonly relative: boolean;
  readonly origin?: number | undefined;
  /** Fractional bits of the operand, and of inputs and weights. */
  readonly inputScale: number;
  readonly fractionalBits: number;
  readonly knobs: ApproximationKnobs;
}

/** How functions are approximated. */
export interface ApproximationKnobs {
  /** Largest error of an approximation, relative to the result or to the largest one. Default 2^-8. */
  readonly tolerance: number;
  /** Largest degree of a polynomial on one opening, 1 to 8: a mask's powers take that many words. Default 4. */
  readonly degree: number;
}

export const DEFAULT_APPROXIMATION: ApproximationKnobs = { tolerance: 2 ** -8, degree: 4 };

/** @throws CryptorchError INVALID_OPTION */
export function checkApproximation(knobs: ApproximationKnobs): ApproximationKnobs {
  const { tolerance, degree } = knobs;
  if (!(tolerance >= 2 ** -16 && tolerance <= 2 ** -4)) {
    const message = `approximation.tolerance is ${tolerance}; give a number from 2^-16 to 2^-4.`;
    throw new CryptorchError('INVALID_OPTION', message, { knob: 'approximation.tolerance' });
  }
  if (!(Number.isInteger(degree) && degree >= 1 && degree <= 8)) {
    const message = `approximation.degree is ${degree}; give an integer from 1 to 8.`;
    throw new CryptorchError('INVALID_OPTION', message, { knob: 'approximation.degree' });
  }
  return knobs;
}

/** A core operation of one operand, whose result the next one takes. */
export interface CoreStep {
  readonly op: CoreOp;
  readonly scale: number;
  readonly attrs: Attributes;
}

export interface Proposal {
  readonly name: string;
  /** Bound on the error, as the request counts it, the rounding of its integers included. */
  readonly error: number;
  readonly steps: readonly CoreStep[];
}

export interface Approximation {
  readonly name: string;
  /** Functions that it serves; undefined: all of them. */
  readonly of?: readonly string[];
  propose(request: Request): Proposal | undefined;
}

const functions = new Map<string, ScalarFunction>();
const approximations: Approximation[] = [];

export function defineFunction(definition: ScalarFunction): ScalarFunction {
  if (functions.has(definition.name)) throw new Error(`function ${definition.name} is defined twice`);
  functions.set(definition.name, definition);
  return definition;
}

/** Approximations are defined in the order of their cost: the first one that is exact enough is taken. */
export function defineApproximation(definition: Approximation): Approximation {
  approximations.push(definition);
  return definition;
}

export function findFunction(name: string): ScalarFunction {
  const found = functions.get(name);
  if (!found) throw new Error(`there is no function ${name}`);
  return found;
}

export function allFunctions(): readonly ScalarFunction[] {
  return [...functions.values()];
}

/** The proposals for a request, those within the tolerance first, each part in the order of definition. */
export function proposals(request: Request): Proposal[] {
  const made = approximations
    .filter(({ of }) => of === undefined || of.includes(request.name))
    .map((a) => a.propose(request))
    .filter((p) => p !== undefined);
  const good = made.filter((p) => p.error <= request.knobs.tolerance);
  const others = made.filter((p) => p.error > request.knobs.tolerance);
  return [...good, ...others.sort((a, b) => a.error - b.error)];
}

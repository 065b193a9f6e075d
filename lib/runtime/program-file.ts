// The program file: everything about a deployment that is public, the same for every role. One program per batch size,
// all over one state. A file that was damaged or changed is refused: its hashes are computed again, its parts checked
// against each other, and every program passes the leakage check before anything of it runs.

import * as v from 'valibot';
import type { CompiledModel } from '../compiler/compile';
import { checkLeakage } from '../compiler/leakage';
import { canonicalJson, type Program, programHash } from '../compiler/program';
import { CryptorchError } from '../errors';
import { checkProgram } from './program-check';
import { programSchema } from './program-schema';
import { setupHash } from './setup-hash';
import { parseJson, validate } from './validate';

/** Name of a deployment: part of the role in a certificate. */
export const NAME: RegExp = /^[a-z0-9-]{1,64}$/;

export interface DeployedProgram {
  /** SHA-256 of the program. */
  readonly hash: string;
  readonly program: Program;
  /** Bound on the rounding error of every output, null where there is none. */
  readonly slack: Readonly<Record<string, number | null>>;
}

export interface ProgramFile {
  readonly name: string;
  readonly parties: number;
  readonly setupHash: string;
  /** Initialisers of the model that are part of the programs, and those that stay with the owner of the weights. */
  readonly publicInitializers: readonly string[];
  readonly privateInitializers: readonly string[];
  readonly programs: readonly DeployedProgram[];
}

const FORMAT = 'cryptorch-program';
const VERSION = 1;
const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

const schema = v.strictObject({
  format: v.literal(FORMAT),
  version: v.literal(VERSION),
  name: v.pipe(v.string(), v.regex(NAME)),
  parties: v.number(),
  setupHash: hash,
  publicInitializers: v.array(v.string()),
  privateInitializers: v.array(v.string()),
  programs: v.pipe(
    v.array(
      v.strictObject({
        hash,
        program: programSchema,
        slack: v.record(v.string(), v.nullable(v.pipe(v.number(), v.finite()))),
      }),
    ),
    v.minLength(1),
  ),
});

/**
 * The public file of models that were compiled from one ONNX file for several batch sizes.
 * @throws CryptorchError INVALID_OPTION where they cannot share one state, or where an output or input belongs to nobody
 */
export function programFileOf(name: string, models: readonly CompiledModel[]): ProgramFile {
  const refuse = (why: string): never => {
    throw new CryptorchError('INVALID_OPTION', why, { name });
  };
  const [first] = models;
  if (first === undefined) return refuse('A deployment needs at least one program: give a batch size.');
  if (!NAME.test(name)) {
    return refuse(
      `The name of the deployment must be 1 to 64 of a-z, 0-9 and "-", not ${JSON.stringify(name)}.`,
    );
  }
  const setup = setupHash(first.program);
  if (models.some((m) => setupHash(m.program) !== setup)) {
    return refuse(
      'The batch sizes do not lead to the same stored state; compile them as deployments of their own.',
    );
  }
  const file: ProgramFile = {
    name,
    parties: first.parties,
    setupHash: setup,
    publicInitializers: first.publicInitializers,
    privateInitializers: first.privateInitializers,
    programs: models.map((m) => ({
      hash: programHash(m.program),
      program: m.program,
      slack: Object.fromEntries(m.outputs.map((o) => [o.name, o.slack])),
    })),
  };
  checkTogether(file, (why) => new CryptorchError('INVALID_OPTION', `${capital(why)}.`, { name }));
  return file;
}

export function encodeProgramFile(file: ProgramFile): string {
  return `${canonicalJson({ format: FORMAT, version: VERSION, ...file })}\n`;
}

/**
 * The content of a program file; `what` names it in errors.
 * @throws CryptorchError INVALID_PROGRAM, LEAKAGE
 */
export function decodeProgramFile(text: string, what: string = 'the program file'): ProgramFile {
  const refuse = (why: string, cause?: unknown): CryptorchError =>
    new CryptorchError(
      'INVALID_PROGRAM',
      `Cannot use ${what}: ${why}. Compile the model again with this version of the package.`,
      { file: what },
      cause,
    );
  const data = parseJson(text, refuse);
  const {
    format: _format,
    version: _version,
    ...file
  } = validate(schema, data, (where, why) => refuse(where === '' ? `it ${why}` : `${where} ${why}`));
  for (const [i, { program, hash: stated, slack }] of file.programs.entries()) {
    const inProgram = (why: string, cause?: unknown): CryptorchError =>
      refuse(`in programs.${i}, ${why}`, cause);
    if (programHash(program) !== stated) throw inProgram('the program is not the one that its hash states');
    checkProgram(program, inProgram);
    checkLeakage(program);
    const outputs = program.ios.flatMap((io) => (io.kind === 'output' ? [io.name] : []));
    if (Object.keys(slack).sort().join('\n') !== outputs.sort().join('\n')) {
      throw inProgram('slack does not list the outputs of the program');
    }
    if (setupOf(program, inProgram) !== file.setupHash)
      throw inProgram('the setup is not the one that setupHash states');
  }
  checkTogether(file, refuse);
  return file;
}

/** Projects every role, so that a program that cannot be is found here and not in the middle of a session. */
function setupOf(program: Program, refuse: (why: string, cause: unknown) => Error): string {
  try {
    return setupHash(program);
  } catch (cause) {
    throw refuse(`no role can run it (${(cause as Error).message})`, cause);
  }
}

function checkTogether(file: ProgramFile, refuse: (why: string) => Error): void {
  const hashes = new Set(file.programs.map((p) => p.hash));
  if (hashes.size !== file.programs.length) throw refuse('a program is listed twice');
  for (const { program } of file.programs) {
    if (program.parties !== file.parties) throw refuse('the programs are for different numbers of parties');
    const shared = program.ios.find((io) => io.owner === 'secret');
    if (shared !== undefined) {
      throw refuse(
        `${shared.kind} "${shared.name}" has no owner; between processes, every input, output and weight belongs to a party or is public`,
      );
    }
    if (!program.ios.some((io) => io.kind === 'input'))
      throw refuse('the model has no input that a run could start with');
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

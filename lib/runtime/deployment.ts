// A deployment on disk: a folder with the public program file, and at the owner of the weights the weights file.
//
//   program.json   what is computed, the same for every role
//   weights.npz    private to the owner of the weights; needed when a new epoch is set up
//   state/         made by the role that runs here: its seed, its ledger, its stored state (see state.ts)
//
// It exists apart from any connection: roles come and go, and resume it.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CompiledModel } from '../compiler/compile';
import type { Io, Program } from '../compiler/program';
import { encodePlan } from '../compiler/schedule/plan';
import { project } from '../compiler/schedule/project';
import { CryptorchError } from '../errors';
import { type InputArray, native } from '../native';
import { fileError, PUBLIC_MODE, readBytes, readIfThere, SECRET_MODE, writeWhole } from './files';
import { heldBy } from './numbers';
import { decodeProgramFile, encodeProgramFile, type ProgramFile, programFileOf } from './program-file';
import { decodeWeights, encodeWeights } from './weights-file';

const PROGRAM = 'program.json';
const WEIGHTS = 'weights.npz';
const STATE = 'state';

/** A deployment on disk: what is computed, apart from any connection. */
export class Deployment {
  private constructor(
    /** Its folder. */
    readonly folder: string,
    /**
     * Content of program.json.
     * @internal
     */
    readonly file: ProgramFile,
  ) {}

  /**
   * Writes the folder of a model that was compiled for one or more batch sizes.
   * @throws CryptorchError INVALID_OPTION where the models do not belong together; FILE
   */
  static async create(folder: string, name: string, models: readonly CompiledModel[]): Promise<Deployment> {
    const file = programFileOf(name, models);
    const [{ program, weights }] = models as [CompiledModel];
    const ios = program.ios.filter((io) => io.kind === 'weight');
    try {
      await mkdir(folder, { recursive: true });
    } catch (error) {
      throw fileError('make the folder', folder, error);
    }
    await writeWhole(join(folder, WEIGHTS), encodeWeights(ios, weights), SECRET_MODE);
    await writeWhole(join(folder, PROGRAM), encodeProgramFile(file), PUBLIC_MODE);
    return new Deployment(folder, file);
  }

  /**
   * Reads the folder of a deployment and checks its program, leakage included.
   * @throws CryptorchError FILE, INVALID_PROGRAM, LEAKAGE
   */
  static async load(folder: string): Promise<Deployment> {
    const path = join(folder, PROGRAM);
    return new Deployment(folder, decodeProgramFile((await readBytes(path)).toString('utf8'), path));
  }

  /** Its name: 1 to 64 of a-z, 0-9 and "-". */
  get name(): string {
    return this.file.name;
  }

  /** Computing parties, the dealer not counted. */
  get parties(): number {
    return this.file.parties;
  }

  /** One program per batch size, all over the same weights. */
  get programs(): readonly Program[] {
    return this.file.programs.map((p) => p.program);
  }

  /** SHA-256 of each program; all roles must have the same. */
  get hashes(): readonly string[] {
    return this.file.programs.map((p) => p.hash);
  }

  /** Path of the private weights file; only their owner has it. */
  get weightsPath(): string {
    return join(this.folder, WEIGHTS);
  }

  /** Folder for what a role keeps here, unless its configuration names another. */
  get statePath(): string {
    return join(this.folder, STATE);
  }

  /**
   * What a role does in each program. The dealer is role `parties`.
   * @internal
   */
  plans(role: number): BigInt64Array[] {
    return this.programs.map((program) => encodePlan(project(program, role)));
  }

  /**
   * Values that a party holds in the clear; the same in every program but for their shape.
   * @internal
   */
  held(kind: Io['kind'], party: number, program = 0): Io[] {
    return heldBy(this.programs[program] as Program, kind, party);
  }

  /**
   * The weights that a party brings; empty for one that owns none, undefined for one whose file is not there.
   * @throws CryptorchError FILE, INVALID_PROGRAM, INVALID_WEIGHTS, INVALID_NPY
   * @internal
   */
  async weights(party: number): Promise<Map<string, InputArray> | undefined> {
    const ios = this.held('weight', party);
    if (ios.length === 0) return new Map();
    const bytes = await readIfThere(this.weightsPath);
    if (bytes === undefined) return undefined;
    const weights = decodeWeights(bytes, ios, this.weightsPath);
    native().release([bytes]);
    return weights;
  }

  /**
   * The program whose inputs at this party have the shapes of `shapes`.
   * @throws CryptorchError INVALID_INPUT where there is none
   * @internal
   */
  programFor(party: number, shapes: ReadonlyMap<string, readonly number[]>): number {
    const fits = (program: Program): boolean =>
      heldBy(program, 'input', party).every((io) => shapes.get(io.name)?.join() === io.shape.join());
    const found = this.programs.findIndex(fits);
    if (found >= 0) return found;
    const given = [...shapes].map(([name, shape]) => `${name} [${shape.join(', ')}]`).join(', ');
    const taken = this.programs
      .map((program) =>
        heldBy(program, 'input', party)
          .map((io) => `${io.name} [${io.shape.join(', ')}]`)
          .join(', '),
      )
      .join('; or ');
    throw new CryptorchError(
      'INVALID_INPUT',
      `No program takes inputs of these shapes: ${given || 'none'}. The programs take: ${taken}. Split or pad the batch, or compile for its size.`,
      { shapes: Object.fromEntries(shapes) },
    );
  }
}

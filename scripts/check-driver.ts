// Runs the example model by the C++ driver, without Node, and checks what it reports: every instruction set of this machine
// gives the same outputs, and it sends exactly the bytes that were predicted.
//
//   node --import tsx scripts/check-driver.ts DRIVER [OTHER]
//
// DRIVER is the executable, or a build folder that contains it; with OTHER, the baseline is computed by that one.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PHASES, type Phase } from '../lib/compiler/program';
import { encodePlan } from '../lib/compiler/schedule/plan';
import { project } from '../lib/compiler/schedule/project';
import { type CompiledModel, compile } from '../lib/index';
import { readNpy } from '../lib/model/npy';
import type { InputArray, LocalConfig } from '../lib/native';
import { drawSeeds, keysOf } from '../lib/runtime/seeds';
import { rows } from '../lib/tensor';
import { encodeBundle } from './bundle';

const EXAMPLE: string = join(__dirname, '..', 'examples', 'digits');
const IMAGES = 4;

interface DriverReport {
  readonly isa: string;
  readonly roles: readonly {
    readonly role: number;
    readonly outputs: readonly {
      readonly io: number;
      readonly elements: number;
      readonly checksum: string;
    }[];
    readonly phases: Readonly<Record<Phase, { readonly bytesSent: readonly number[] }>>;
  }[];
}

/** The run of a model as the driver takes it, with a fixed seed. */
function configOf(model: CompiledModel, inputs: ReadonlyMap<string, InputArray>): LocalConfig {
  const { program, weights, parties } = model;
  const seeds = drawSeeds(parties, 'driver');
  const roles = Array.from({ length: parties + 1 }, (_, role) => role);
  return {
    plans: roles.map((role) => encodePlan(project(program, role))),
    keys: roles.map((role) => keysOf(seeds, parties, role)),
    inputs: roles.map((role) =>
      program.ios.map((io) => {
        if (io.kind === 'output' || role === parties) return null;
        if (io.data) return BigInt64Array.from(io.data, BigInt);
        return io.owner === role ? (inputs.get(io.name) ?? weights.get(io.name)) : null;
      }),
    ),
    shareSeed: seeds.inputs,
  };
}

function locate(place: string): string {
  const candidates = [place, join(place, 'driver'), join(place, 'Release', 'driver')];
  const driver = candidates.slice(place.endsWith('driver') ? 0 : 1).find(existsSync);
  if (driver === undefined) throw new Error(`there is no driver in ${candidates.join(', ')}`);
  return driver;
}

async function main(): Promise<void> {
  const [place = '', other = place] = process.argv.slice(2);
  const [driver, second] = [locate(place), locate(other)];
  const images = rows(readNpy(readFileSync(join(EXAMPLE, 'images.npy'))), 0, IMAGES);
  const model = await compile(join(EXAMPLE, 'digits.onnx'), { shapes: { image: images.shape } });
  const folder = mkdtempSync(join(tmpdir(), 'cryptorch-'));
  try {
    const bundle = join(folder, 'digits.bundle');
    writeFileSync(bundle, encodeBundle(configOf(model, new Map([['image', images.data as Float32Array]]))));
    const run = (by: string, ...options: string[]): DriverReport =>
      JSON.parse(execFileSync(by, [bundle, ...options], { encoding: 'utf8', timeout: 120_000 }));
    const best = run(driver);
    const portable = run(second, '--isa', 'baseline');
    const outputs = ({ roles }: DriverReport): string => JSON.stringify(roles.map((role) => role.outputs));
    if (outputs(best) !== outputs(portable)) throw new Error(`outputs of ${best.isa} and baseline differ`);
    for (const phase of PHASES) checkBytes(best, model, phase);
    console.log(`driver: ${best.isa} and baseline agree, and bytes are as predicted`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function checkBytes(report: DriverReport, model: CompiledModel, phase: Phase): void {
  const { bytesSent, dealerBytes } = model.predicted[phase];
  const sent = report.roles.map((role) => role.phases[phase].bytesSent);
  const counted = [
    ...sent.slice(0, model.parties).map((peers) => peers.reduce((a, b) => a + b, 0)),
    ...sent[model.parties]!,
  ];
  const expected = [...bytesSent, ...dealerBytes];
  if (expected.some((bytes, i) => counted[i] !== bytes)) {
    throw new Error(
      `${phase}: predicted ${expected.join(' ')} bytes, the driver counted ${counted.join(' ')}`,
    );
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});

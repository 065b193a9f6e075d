// What `cryptorch doctor` runs in a process of its own, so that a crash of the native core is one failed line:
//
//   local   a small model on shares, dealer and parties as threads, with the kernels that CRYPTORCH_ISA names
//   tls     the same model by dealer and parties that meet over TLS on loopback, with certificates made for it
//
// The model is y = relu(x W + b); the result must be that of exact arithmetic but for rounding, and the bytes those that
// were predicted. Answers with one message to the parent.

import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { type CompiledModel, compile, Dealer, Deployment, Party, type RoleConfig, runLocal } from '../index';
import { Authority } from '../keys/authority';
import type { Role } from '../keys/role';
import { ModelProtoSchema } from '../model/onnx/onnx_pb';
import { native } from '../native';
import { PUBLIC_MODE, SECRET_MODE } from '../runtime/files';
import { type Tensor, tensor, toFloat64 } from '../tensor';
import { agrees } from './report';

export interface SelfTestAnswer {
  readonly ok: boolean;
  /** What was done, or why it failed. */
  readonly text: string;
}

export type SelfTest = 'local' | 'tls';

const FLOAT = 1;
const WEIGHTS = { w: [1, -2, 0.5, 4, -0.25, 3], b: [0.125, -1] };
const X: Tensor = tensor([1, 2, 3, -1, 0.5, 8], [2, 3]);
const Y = [1.375, 14, 0, 27];
const DEPLOYMENT = 'self-test';

function model(): Promise<CompiledModel> {
  const value = (name: string, ...shape: number[]) => ({
    name,
    type: {
      value: {
        case: 'tensorType' as const,
        value: {
          elemType: FLOAT,
          shape: { dim: shape.map((d) => ({ value: { case: 'dimValue' as const, value: BigInt(d) } })) },
        },
      },
    },
  });
  const weight = (name: keyof typeof WEIGHTS, ...shape: number[]) => ({
    name,
    dims: shape.map(BigInt),
    dataType: FLOAT,
    floatData: WEIGHTS[name],
  });
  const proto = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: '', version: 13n }],
    graph: {
      name: DEPLOYMENT,
      node: [
        { opType: 'Gemm', input: ['x', 'w', 'b'], output: ['z'] },
        { opType: 'Relu', input: ['z'], output: ['y'] },
      ],
      initializer: [weight('w', 3, 2), weight('b', 2)],
      input: [value('x', 2, 3)],
      output: [value('y', 2, 2)],
    },
  });
  return compile(toBinary(ModelProtoSchema, proto));
}

function check({ outputs }: CompiledModel, result: Tensor | undefined): void {
  const values = result ? [...toFloat64(result)] : [];
  const slack = outputs[0]?.slack ?? 0;
  if (values.length !== Y.length || values.some((value, i) => !(Math.abs(value - Y[i]!) <= slack))) {
    throw new Error(`the result is ${values.join(' ')}, not ${Y.join(' ')}`);
  }
}

async function local(): Promise<string> {
  const compiled = await model();
  const result = await runLocal(compiled, { x: X });
  check(compiled, result.outputs.y);
  if (!agrees(result)) throw new Error('predicted and counted bytes differ');
  return `a private run with the kernels for ${native().info().isa} gives the right result`;
}

async function tls(): Promise<string> {
  const compiled = await model();
  const folder = await mkdtemp(join(tmpdir(), 'cryptorch-doctor-'));
  const open: { close(): Promise<void> }[] = [];
  try {
    const config = await deployed(folder, compiled);
    const dealer = await Dealer.open({ ...(await config('dealer')), listen: '127.0.0.1:0' });
    open.push(dealer);
    const at = (port: number | undefined): string => `127.0.0.1:${port}`;
    const first = await Party.open({
      ...(await config(0)),
      party: 0,
      listen: at(0),
      peers: { dealer: at(dealer.port) },
    });
    open.push(first);
    const peers = { dealer: at(dealer.port), 0: at(first.port) };
    open.push(await Party.open({ ...(await config(1)), party: 1, peers }));
    const { outputs } = await first.run({ x: X });
    check(compiled, outputs.y);
    return 'dealer and parties compute together over TLS 1.3 on 127.0.0.1';
  } finally {
    await Promise.all(open.map((role) => role.close()));
    await rm(folder, { recursive: true });
  }
}

/** Makes keys and folders for all roles; what it gives makes the configuration of one. */
async function deployed(
  folder: string,
  compiled: CompiledModel,
): Promise<(role: Role) => Promise<RoleConfig>> {
  const made = join(folder, 'compiled');
  await Deployment.create(made, DEPLOYMENT, [compiled]);
  const { authority, identity } = await Authority.create(DEPLOYMENT, { days: 1 });
  const owner = compiled.program.ios.find((io) => io.kind === 'weight')?.owner;
  return async (role) => {
    const at = (...path: string[]): string => join(folder, String(role), ...path);
    await mkdir(at());
    await copyFile(join(made, 'program.json'), at('program.json'));
    if (role === owner) await copyFile(join(made, 'weights.npz'), at('weights.npz'));
    const { certificate, key } = await authority.issue({ role, hosts: ['127.0.0.1'], days: 1 });
    await writeFile(at('ca.pem'), identity.certificate, { mode: PUBLIC_MODE });
    await writeFile(at('own.pem'), certificate, { mode: PUBLIC_MODE });
    await writeFile(at('own.key'), key, { mode: SECRET_MODE });
    const certificates = { ca: at('ca.pem'), certificate: at('own.pem'), key: at('own.key') };
    return {
      deployment: at(),
      certificates,
      timeouts: { control: 20, setup: 20, offline: 20, online: 20, run: 40 },
    };
  };
}

if (require.main === module) {
  const answer = (message: SelfTestAnswer): void => {
    process.send?.(message, () => process.exit());
  };
  (process.argv[2] === 'tls' ? tls() : local()).then(
    (text) => answer({ ok: true, text }),
    (error: Error) => answer({ ok: false, text: error.message }),
  );
}

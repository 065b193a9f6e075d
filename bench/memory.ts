// `npm run bench -- memory [--json] [FILTER]`: how much memory roles take. Two parties and the dealer are processes of the command line
// that talk over TLS, as in a deployment: setup from the weights file, one run. Peak resident memory is what the system says (VmHWM) less
// that of the same role with LeNet-5, whose own data are below 2 MB; planned memory is what the program says. Both are compared with the
// weights and the two largest activations as shares, 8 bytes an element. Needs Linux.

import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare, rolesOf } from '../examples/digits/prepare';
import { RoleProcess } from '../examples/digits/role-process';
import { type CompiledModel, compile, tensor } from '../lib';
import { renderTable } from '../lib/cli/table';
import { liveBytes, workBlocks } from '../lib/compiler/schedule/arena';
import { project } from '../lib/compiler/schedule/project';
import { type Role, roleFile } from '../lib/keys/role';
import { NETWORKS } from './networks';
import { normals } from './networks/builder';
import { environment } from './runs';

interface Usage {
  readonly network: string;
  readonly role: Role;
  readonly state: number;
  readonly material: number;
  readonly work: number;
  /** What no placement of the work region can do without. */
  readonly live: number;
  /** Peak resident memory beyond that of an idle process. */
  readonly resident: number;
  /** Weights and two largest activations as shares. */
  readonly shares: number;
}

function peakOf(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0); // none of one that is ending
  } catch {
    return 0; // it has ended
  }
}

async function peaks(model: CompiledModel, shape: readonly number[]): Promise<Map<Role, number>> {
  const folder = await mkdtemp(join(tmpdir(), 'cryptorch-memory-'));
  const running = new Map<Role, RoleProcess>();
  const peak = new Map<Role, number>();
  try {
    const normal = normals(7);
    const x = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => normal());
    await prepare(folder, model, tensor(x, shape));
    const ports: Record<string, string> = {};
    for (const role of rolesOf(model)) {
      const name = roleFile(role);
      const config = {
        deployment: '.',
        certificates: { ca: 'ca.pem', certificate: `${name}.pem`, key: `${name}.key` },
        ...(role === 'dealer' ? { listen: '127.0.0.1:0' } : { party: role, peers: { ...ports } }),
        ...(role !== 'dealer' && role < model.parties - 1 && { listen: '127.0.0.1:0' }),
        ...(role === 0 && { inputs: { x: 'images.npy' }, outputs: 'out.npz' }),
      };
      const path = join(folder, name, 'config.json');
      await writeFile(path, JSON.stringify(config));
      const started = RoleProcess.start(role, path, () => {});
      running.set(role, started);
      const port = await started.port;
      if (port !== undefined) ports[String(role)] = `127.0.0.1:${port}`;
    }
    const look = setInterval(() => {
      for (const [role, { pid }] of running) peak.set(role, Math.max(peak.get(role) ?? 0, peakOf(pid)));
    }, 10);
    try {
      await Promise.race([...running.values()].map((role) => role.ended));
    } finally {
      clearInterval(look);
    }
    for (const role of running.values()) await role.stop();
    return peak;
  } finally {
    for (const role of running.values()) role.kill();
    await rm(folder, { recursive: true });
  }
}

async function usage(name: string): Promise<{ model: CompiledModel; peak: Map<Role, number> }> {
  const network = NETWORKS.find((n) => n.name === name) as (typeof NETWORKS)[number];
  const shape = [1, ...network.input];
  const model = await compile(network.build(), { shapes: { x: shape } });
  return { model, peak: await peaks(model, shape) };
}

export async function main(args: readonly string[]): Promise<void> {
  const filter = args.find((a) => !a.startsWith('--')) ?? 'ResNet-18';
  const idle = (await usage('LeNet-5')).peak;
  const rows: Usage[] = [];
  for (const { name } of NETWORKS.filter((n) => n.name.includes(filter))) {
    const { model, peak } = await usage(name);
    const elements = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
    const weights = model.program.ios.filter((io) => io.kind === 'weight').map((io) => elements(io.shape));
    const activations = model.layers.map(({ shape }) => elements(shape)).sort((a, b) => b - a);
    const shares = 8 * [...weights, ...activations.slice(0, 2)].reduce((a, b) => a + b, 0);
    for (const role of rolesOf(model)) {
      const plan = project(model.program, role === 'dealer' ? model.parties : role);
      const live = liveBytes(workBlocks(plan.phases));
      const resident = (peak.get(role) ?? Number.NaN) - (idle.get(role) ?? Number.NaN);
      rows.push({ network: name, role, ...plan.bytes, live, resident, shares });
    }
  }
  if (args.includes('--json')) {
    console.log(JSON.stringify({ environment: environment(), idle: Object.fromEntries(idle), memory: rows }));
    return;
  }
  const mb = (bytes: number): string => (bytes / 1e6).toFixed(0);
  const titles = [
    'state MB',
    'material',
    'work',
    'of it live',
    'planned',
    'resident',
    'shares',
    'planned : shares',
    'resident : shares',
  ];
  const columns = [
    { title: 'network', align: 'left' as const },
    { title: 'role', align: 'left' as const },
    ...titles.map((title) => ({ title, align: 'right' as const })),
  ];
  const lines = rows.map((r) => {
    const planned = r.state + r.material + r.work;
    const sizes = [r.state, r.material, r.work, r.live, planned, r.resident, r.shares].map(mb);
    const ratios = [planned, r.resident].map((bytes) => (bytes / r.shares).toFixed(2));
    return [r.network, r.role === 'dealer' ? 'dealer' : `party ${r.role}`, ...sizes, ...ratios];
  });
  console.log(renderTable(columns, lines));
}

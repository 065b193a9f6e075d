// Two threads against one, by the clock on the wall: means something only where nothing else runs. Their processor time, which other
// processes disturb less, is a bound: twice the work cannot be done in half the time.

import { median } from '../runs';
import { type Effort, measure, type Work } from './binding';
import { reluWork } from './material';
import { type Ratio, ratio } from './ratio';

export function threads(effort: Effort, small: boolean): Ratio[] {
  const side = small ? 128 : 1024;
  const kinds: readonly (readonly [string, Work])[] = [
    [`matmul ${side}x${side}x${side}`, { kind: 'matmul', shape: [1, side, side, side, 0, 0] }],
    ['conv 3x3, 4 x 56x56x64', { kind: 'conv2d', shape: [small ? 1 : 4, 64, 56, 56, 64, 3, 1, 1] }],
    [`ReLU, ${side * side} elements, online`, reluWork(side * side)],
  ];
  const all = new Map<string, Work>();
  for (const [name, work] of kinds) {
    for (const count of [1, 2]) all.set(`${name} ${count}`, { ...work, threads: count });
  }
  const of = measure({ ...effort, time: 'wall' }, all);
  const spent = measure({ ...effort, time: 'process' }, all);
  return kinds.map(([name]) => {
    const [one, two] = [of(`${name} 1`).seconds, of(`${name} 2`).seconds];
    const samples = [...one].map((seconds, i) => seconds / (two[i] as number));
    const goal = { suite: 'threads', name, bound: 'at least', goal: 1.8 } as const;
    const more = median([...spent(`${name} 2`).seconds]) / median([...spent(`${name} 1`).seconds]);
    return ratio(goal, '', samples, `two threads over one; processor time ${more.toFixed(2)} times as much`);
  });
}

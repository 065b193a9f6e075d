// What the demo prints: the tables per layer, predicted and counted side by side, then how well the digits were read.

import { agrees, layerTables, type ReportedRun, summary } from '../../lib/cli/report';
import type { Tensor } from '../../lib/index';
import type { Digits } from './digits';

/** A run with what party 0 learned from it. */
export interface DemoRun extends ReportedRun {
  readonly outputs: Readonly<Record<string, Tensor>>;
}

export function describe(run: DemoRun, { count, labels }: Digits, expected: Float32Array): string {
  const scores = Array.from(run.outputs.logits!.data as ArrayLike<number>);
  const secret = largest(scores, count);
  const plain = largest(expected, count);
  const error = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - scores[i]!)), 0);
  const { online } = run.seconds;
  return [
    `${layerTables(run)}\n\n${summary(run)}\n`,
    `prediction and count ${agrees(run) ? 'agree in every byte and round' : 'DIFFER: please report this'}`,
    `private accuracy        ${share(secret, labels)}`,
    `plaintext accuracy      ${share(plain, labels)}`,
    `same digit as plaintext ${share(secret, plain)}; largest difference of a score ${error.toExponential(1)}`,
    `online time             ${online.toFixed(3)} s, ${((1e6 * online) / count).toFixed(0)} us an image`,
  ].join('\n');
}

/** Index of the largest of ten scores, row by row. */
function largest(scores: ArrayLike<number>, count: number): number[] {
  return Array.from({ length: count }, (_, row) => {
    const ten = Array.from({ length: 10 }, (_, digit) => scores[10 * row + digit]!);
    return ten.indexOf(Math.max(...ten));
  });
}

function share(found: readonly number[], wanted: readonly number[]): string {
  const right = found.filter((digit, i) => digit === wanted[i]).length;
  return `${right} of ${wanted.length} = ${((100 * right) / wanted.length).toFixed(2)} %`;
}

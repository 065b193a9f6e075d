// `cryptorch check`: every problem that keeps an ONNX model from being computed, or what it would cost. Exit code 1 where
// there are problems.

import { basename } from 'node:path';
import { Command, Option } from 'commander';
import { type CheckedModel, check, type ModelProblem } from '../compiler/check';
import type { CompiledModel, OwnerName } from '../compiler/compile';
import { PHASES } from '../compiler/program';
import type { PlannedMemory } from '../cost/memory';
import { addCompilingOptions, type CompilingOptions, compilingOptions } from './compile-options';
import { integerFrom, parseShape } from './options';
import { choiceCounts } from './report';
import { type Column, grouped, type Row, renderTable } from './table';

interface Options extends CompilingOptions {
  readonly batch?: number;
  readonly shape?: Readonly<Record<string, readonly number[]>>;
  readonly json?: boolean;
}

export function checkCommand(): Command {
  const command = new Command('check')
    .description('list everything that keeps an ONNX model from being computed, or say what it would cost')
    .argument('<model>', 'ONNX file')
    .addOption(
      new Option('--batch <size>', 'what an open first dimension of an input is (default: 1)').argParser(
        integerFrom(1),
      ),
    )
    .addOption(
      new Option('--shape <name=dims>', 'shape of an input, such as x=1,3,224,224 (repeatable)').argParser(
        parseShape,
      ),
    )
    .option('--json', 'print one JSON object instead of text');
  return addCompilingOptions(command, {
    owners: 'who knows what: NAME=PARTY, NAME=secret or NAME=public, for inputs, outputs and `weights`',
    network: 'choose forms of protocols for lan, wan, or figures such as 400Mbit,4ms',
  }).action(run);
}

async function run(path: string, options: Options): Promise<void> {
  const { batch, shape: shapes, calibrate: _examples, ...rest } = options;
  const known = { ...(batch !== undefined && { batch }), ...(shapes && { shapes }) };
  let checked = await check(path, { ...(await compilingOptions(path, rest, known)), ...known });
  // Examples are run on a model that can be.
  if (checked.ok && options.calibrate !== undefined) {
    checked = await check(path, { ...(await compilingOptions(path, options, known)), ...known });
  }
  const name = basename(path);
  process.stdout.write(
    options.json ? `${JSON.stringify(jsonReport(name, checked))}\n` : textReport(name, checked),
  );
  if (!checked.ok) process.exitCode = 1;
}

/** The object that --json prints. */
function jsonReport(name: string, { ok, problems, model, memory }: CheckedModel): unknown {
  if (!model) return { model: name, ok, problems };
  const { parties, inputs, outputs, predicted } = model;
  return { model: name, ok, problems, parties, inputs, outputs, communication: predicted, memory };
}

function textReport(name: string, { problems, model, memory }: CheckedModel): string {
  if (model && memory) return `${willRun(name, model, memory).join('\n')}\n`;
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  return `${[`${name} cannot be computed: ${count}.`, ...problems.map(problemText)].join('\n\n')}\n`;
}

function problemText({ node, operator, code, what, remedy }: ModelProblem, i: number): string {
  const where = node === null ? 'the model' : `${node}${operator === null ? '' : ` (${operator})`}`;
  return [`${i + 1}. ${where}: ${code}`, `   ${what}`, `   What to do: ${remedy}`].join('\n');
}

function willRun(name: string, model: CompiledModel, memory: PlannedMemory): string[] {
  const who = (owner: OwnerName): string => (typeof owner === 'number' ? `party ${owner}` : owner);
  const shape = (dims: readonly number[]): string => `[${dims.join(', ')}]`;
  const inputs = model.inputs.map((i) => `  input ${i.name} ${shape(i.shape)} from ${who(i.owner)}`);
  const outputs = model.outputs.map(({ name: output, shape: dims, owner, slack }) => {
    const bound = slack ? `, rounding at most ${slack.toPrecision(3)}` : '';
    return `  output ${output} ${shape(dims)} to ${who(owner)}${bound}`;
  });
  const roles = [...memory.parties.map((_, party) => `party ${party}`), 'dealer'];
  const columns: Column[] = [
    { title: '', align: 'left' },
    { title: 'rounds', align: 'right' },
    ...roles.map((title) => ({ title, align: 'right' as const })),
  ];
  const rows: Row[] = PHASES.map((phase) => {
    const { rounds, bytesSent, dealerBytes } = model.predicted[phase];
    const dealt = dealerBytes.reduce((a, b) => a + b, 0);
    return [`${phase}, bytes sent`, grouped(rounds), ...[...bytesSent, dealt].map(grouped)];
  });
  const planned = [...memory.parties, memory.dealer].map(grouped);
  const choices = choiceCounts(model.layers);
  return [
    `${name} will run: ${model.parties} parties and a dealer.`,
    '',
    ...inputs,
    ...outputs,
    '',
    renderTable(columns, [...rows, ['memory, bytes', '', ...planned]]),
    ...(choices.length === 0 ? [] : ['', `Layers by what was chosen for them: ${choices.join('; ')}.`]),
  ];
}

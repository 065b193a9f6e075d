// What a run cost, as text: one table per phase with a line per layer, then totals per sender.
//
// Predicted figures were read off the program before anything was sent; counted ones come from the transport, which
// shares no code with the prediction. They stand side by side so that a difference is seen. Bytes of a layer are the
// payloads it caused, summed over all senders; the headers of the frames that carry them have a line of their own.

import { choicesText } from '../compiler/print-program';
import { PHASES, type Phase } from '../compiler/program';
import type { Communication, NodeCommunication, PhaseCommunication } from '../cost/communication';
import { type Column, grouped, milliseconds, type Row, renderTable } from './table';

export interface ReportedLayer {
  readonly name: string;
  readonly op: string;
  readonly shape: readonly number[];
  readonly choices?: Readonly<Record<string, string>>;
  readonly predicted: Readonly<Record<Phase, NodeCommunication>>;
  readonly counted: Readonly<Record<Phase, NodeCommunication & { readonly seconds: number }>>;
}

export interface ReportedRun {
  readonly seconds: Readonly<Record<Phase | 'compile', number>>;
  readonly communication: Readonly<Record<'predicted' | 'counted', Communication>>;
  readonly layers: readonly ReportedLayer[];
}

const LAYER_COLUMNS: readonly Column[] = [
  { title: 'layer', align: 'left', limit: 34 },
  { title: 'operator', align: 'left' },
  { title: 'shape', align: 'left' },
  { title: 'rounds', align: 'right' },
  { title: 'counted', align: 'right' },
  { title: 'bytes', align: 'right' },
  { title: 'counted', align: 'right' },
  { title: 'ms', align: 'right' },
];
const CHOICES: Column = { title: 'choices', align: 'left' };

/** The tables per layer, one for each phase in which anything happens. */
export function layerTables(run: ReportedRun): string {
  return PHASES.map((phase) => phaseTable(run, phase))
    .filter((text) => text !== '')
    .join('\n\n');
}

function phaseTable(run: ReportedRun, phase: Phase): string {
  const layers = run.layers.filter((layer) => {
    const { predicted, counted } = figures(layer, phase);
    return predicted.bytes + predicted.rounds + counted.bytes + counted.rounds > 0 || counted.seconds >= 5e-6;
  });
  const predicted = run.communication.predicted[phase];
  const counted = run.communication.counted[phase];
  const chosen = (layer: ReportedLayer): string =>
    phase === 'online' ? choicesText(layer.choices ?? {}) : '';
  const columns = layers.some((layer) => chosen(layer) !== '') ? [...LAYER_COLUMNS, CHOICES] : LAYER_COLUMNS;
  const total = { predicted: totalBytes(predicted), counted: totalBytes(counted) };
  if (layers.length === 0 && total.predicted + total.counted === 0) return '';

  const rows: Row[] = layers.map((layer) => {
    const f = figures(layer, phase);
    return [
      layer.name,
      layer.op,
      layer.shape.join(' x '),
      grouped(f.predicted.rounds),
      grouped(f.counted.rounds),
      grouped(f.predicted.bytes),
      grouped(f.counted.bytes),
      milliseconds(f.counted.seconds),
      chosen(layer),
    ];
  });
  const headers = {
    predicted: total.predicted - sum(layers.map((layer) => figures(layer, phase).predicted.bytes)),
    counted: total.counted - sum(layers.map((layer) => figures(layer, phase).counted.bytes)),
  };
  if (headers.predicted !== 0 || headers.counted !== 0) {
    rows.push(['frame headers', '', '', '', '', grouped(headers.predicted), grouped(headers.counted), '']);
  }
  rows.push('rule', [
    'total',
    '',
    '',
    grouped(predicted.rounds),
    grouped(counted.rounds),
    grouped(total.predicted),
    grouped(total.counted),
    milliseconds(run.seconds[phase]),
  ]);
  return `${phase} (predicted, then counted; bytes of all senders)\n${renderTable(columns, rows)}`;
}

/** Totals per phase and sender, predicted and counted, with the wall time of each phase. */
export function summary(run: ReportedRun): string {
  const columns: Column[] = [
    { title: 'phase', align: 'left' },
    { title: 'sender', align: 'left' },
    { title: 'rounds', align: 'right' },
    { title: 'counted', align: 'right' },
    { title: 'bytes', align: 'right' },
    { title: 'counted', align: 'right' },
    { title: 'seconds', align: 'right' },
  ];
  const rows: Row[] = [['compile', '', '', '', '', '', run.seconds.compile.toFixed(3)]];
  for (const phase of PHASES) {
    const predicted = run.communication.predicted[phase];
    const counted = run.communication.counted[phase];
    const senders = predicted.bytesSent.map((bytes, party) => [
      `party ${party}`,
      grouped(bytes),
      grouped(counted.bytesSent[party] ?? 0),
    ]);
    senders.push(['dealer', grouped(sum(predicted.dealerBytes)), grouped(sum(counted.dealerBytes))]);
    senders.forEach(([sender, before, after], i) => {
      const rounds = i === 0 ? [grouped(predicted.rounds), grouped(counted.rounds)] : ['', ''];
      const seconds = i === 0 ? run.seconds[phase].toFixed(3) : '';
      rows.push([i === 0 ? phase : '', sender!, ...rounds, before!, after!, seconds]);
    });
  }
  return renderTable(columns, rows);
}

/** How many layers take which form of a protocol: `maximum all-pairs (2), tournament (1)`. Empty if none had a choice. */
export function choiceCounts(layers: readonly Pick<ReportedLayer, 'choices'>[]): string[] {
  const subjects = new Map<string, Map<string, number>>();
  for (const [subject, choice] of layers.flatMap((layer) => Object.entries(layer.choices ?? {}))) {
    const counts = subjects.get(subject) ?? new Map<string, number>();
    subjects.set(subject, counts.set(choice, (counts.get(choice) ?? 0) + 1));
  }
  return [...subjects].map(
    ([subject, counts]) => `${subject} ${[...counts].map(([choice, n]) => `${choice} (${n})`).join(', ')}`,
  );
}

/** One line for standard error, when a run is over. */
export function times({ seconds }: Pick<ReportedRun, 'seconds'>): string {
  return `done: ${PHASES.map((phase) => `${phase} ${seconds[phase].toFixed(3)} s`).join(', ')}`;
}

/** Whether prediction and count agree in every figure. */
export function agrees(run: ReportedRun): boolean {
  return JSON.stringify(totals(run, 'predicted')) === JSON.stringify(totals(run, 'counted'));
}

function totals(run: ReportedRun, side: 'predicted' | 'counted'): unknown {
  const traffic = PHASES.map((phase) => {
    const { rounds, bytesSent, dealerBytes } = run.communication[side][phase];
    return { rounds, bytesSent, dealerBytes };
  });
  const layers = run.layers.map((layer) =>
    PHASES.map((phase) => [layer[side][phase].bytes, layer[side][phase].rounds]),
  );
  return { traffic, layers };
}

function figures(
  layer: ReportedLayer,
  phase: Phase,
): { predicted: NodeCommunication; counted: NodeCommunication & { seconds: number } } {
  return { predicted: layer.predicted[phase], counted: layer.counted[phase] };
}

function totalBytes(traffic: PhaseCommunication): number {
  return sum(traffic.bytesSent) + sum(traffic.dealerBytes);
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

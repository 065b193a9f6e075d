// A graph as text, one line per value definition:
//
//   graph "digits"
//   %0 = input : fixed[1, 64] party 0 @16  # x
//   %1 = constant {private} : fixed[64, 8] party 1 @16  # w
//   %2 = constant {1, 2} : int[2] public @0  # axes
//   %3 = matmul(%0, %1) {transA: false, transB: false} : fixed[1, 8] secret @32 [-3.2, 4.1]  # fc (Gemm)
//   return %3 "y"
//
// Type: element type, shape, owner, @ fractional bits, ring if it is not a word, range (followed by what it rests on unless it is proven). The
// contents of private constants are never printed.

import { CryptorchError } from '../../errors';
import type { Attribute, Attributes, Constant, Graph, Node, Range, Type, Value } from './graph';

/** Numbers of a list that are printed; longer lists are cut. */
const SHOWN = 16;

/** The graph as text: a line per node, with types, scales and ranges. */
export function printGraph(graph: Graph): string {
  const lines = [`graph ${JSON.stringify(graph.name)}`];
  for (const v of graph.inputs) lines.push(`${ref(v)} = input : ${printType(v.type)}${comment(v.name)}`);
  for (const [v, c] of graph.constants) {
    lines.push(`${ref(v)} = constant {${contents(c)}} : ${printType(v.type)}${comment(v.name)}`);
  }
  for (const node of graph.nodes) lines.push(printNode(node));
  lines.push(`return ${graph.outputs.map((v) => `${ref(v)} ${JSON.stringify(v.name)}`).join(', ')}`);
  return `${lines.join('\n')}\n`;
}

export function printNode(node: Node): string {
  const origin = node.origin === node.op || node.origin === '' ? '' : ` (${node.origin})`;
  const attrs = printAttributes(node.attrs);
  return (
    `${node.outputs.map(ref).join(', ')} = ${node.op}(${node.inputs.map(ref).join(', ')})${attrs && ` ${attrs}`} : ` +
    `${node.outputs.map((v) => printType(v.type)).join('; ')}${comment(`${node.name}${origin}`)}`
  );
}

export function printType(type: Type): string {
  const owner = typeof type.owner === 'number' ? `party ${type.owner}` : type.owner;
  const scale = type.scale === undefined ? '' : ` @${type.scale}`;
  const ring = type.ring === undefined || type.ring === 64 ? '' : ` mod 2^${type.ring}`;
  const range = type.range ? ` ${printRange(type.range)}` : '';
  return `${type.dtype}[${type.shape.join(', ')}] ${owner}${scale}${ring}${range}`;
}

function printRange({ kind, lo, hi }: Range): string {
  return `[${short(lo)}, ${short(hi)}]${kind === 'proven' ? '' : ` ${kind}`}`;
}

function ref(v: Value): string {
  return `%${v.id}`;
}

function comment(text: string): string {
  // A name comes from the model: no line break of its may start a line here.
  return text === '' ? '' : `  # ${JSON.stringify(text).slice(1, -1)}`;
}

function contents(constant: Constant): string {
  return constant.private ? 'private' : list(constant.data);
}

function list(items: ArrayLike<number | bigint>): string {
  const shown = Array.from({ length: Math.min(items.length, SHOWN) }, (_, i) => scalar(items[i]!));
  return `${shown.join(', ')}${items.length > SHOWN ? `, ... ${items.length} in all` : ''}`;
}

function scalar(x: number | bigint): string {
  return typeof x === 'bigint' ? String(x) : short(x);
}

function short(x: number): string {
  return String(Number(x.toPrecision(6)));
}

function printAttributes(attrs: Attributes): string {
  const entries = Object.entries(attrs);
  return entries.length === 0 ? '' : `{${entries.map(([k, a]) => `${k}: ${printAttribute(a)}`).join(', ')}}`;
}

function printAttribute(a: Attribute): string {
  if (a === null || typeof a === 'boolean') return String(a);
  if (typeof a === 'number' || typeof a === 'bigint') return scalar(a);
  if (typeof a === 'string') return JSON.stringify(a);
  if (ArrayBuffer.isView(a)) return `[${list(a as ArrayLike<number | bigint>)}]`;
  if (Array.isArray(a)) {
    const shown = a.slice(0, SHOWN).map(printAttribute).join(', ');
    return `[${shown}${a.length > SHOWN ? `, ... ${a.length} in all` : ''}]`;
  }
  if (typeof a === 'object') return printAttributes(a as Attributes) || '{}';
  throw new CryptorchError('INTERNAL', `An attribute is a ${typeof a}, which has no text form.`);
}

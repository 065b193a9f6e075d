// The addon that measures (native/test/kernel_bench_addon.cpp); `npm run build:native` makes it beside the package's own.

import { join } from 'node:path';
import type { Isa } from '../../lib/native';

const EXTENSION = process.platform === 'darwin' ? 'dylib' : 'so';
export const BINDING: string = join(__dirname, `../../build/Release/cryptorch_bench.${EXTENSION}`);

/** A piece of work; what `shape` holds depends on the kind, see native/test/kernel_bench.hpp. */
export interface Work {
  readonly kind: 'registers' | 'stream' | 'matmul' | 'conv2d' | 'expansion' | 'cipher' | 'plan';
  readonly shape: readonly number[];
  /** Threads of the pool that it runs on. Default: 1. */
  readonly threads?: number;
  readonly plan?: BigInt64Array;
  /** 0 setup, 1 offline, 2 online. */
  readonly phase?: number;
}

export interface Measured {
  /** Multiply-adds, bytes or elements of one call. */
  readonly work: number;
  /** Seconds per call, a sample per repetition. */
  readonly seconds: Float64Array;
}

export interface Effort {
  readonly isa?: Isa;
  readonly repetitions: number;
  /** Of one sample, about. */
  readonly seconds: number;
  /** On the wall, or processor time of all threads. Default: processor time of the thread that measures. */
  readonly time?: 'wall' | 'process';
}

export type Rounds = 'blocking sockets' | 'blocking TLS' | 'frames, plain TCP' | 'frames, TLS';

interface Binding {
  measure(effort: Effort, work: readonly Work[]): Measured[];
  rounds(options: {
    readonly kind: Rounds;
    readonly rounds: number;
    readonly sharedCore: boolean;
  }): Float64Array;
}

let loaded: Binding | undefined;

export function binding(): Binding {
  if (!loaded) {
    const addon: { exports: unknown } = { exports: {} };
    process.dlopen(addon, BINDING);
    loaded = addon.exports as Binding;
  }
  return loaded;
}

/** Measures pieces of work in turn, `effort.repetitions` times, and gives them back by their names. */
export function measure<Name extends string>(
  effort: Effort,
  work: ReadonlyMap<Name, Work>,
): (name: Name) => Measured {
  const measured = binding().measure(effort, [...work.values()]);
  const byName = new Map([...work.keys()].map((name, i) => [name, measured[i] as Measured]));
  return (name) => {
    const found = byName.get(name);
    if (!found) throw new Error(`'${name}' was not measured`);
    return found;
  };
}

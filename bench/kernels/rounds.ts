// Small dependent rounds between two processes over loopback: what waiting costs, with a core for each process and with one for both.

import { median } from '../runs';
import { binding, type Rounds } from './binding';
import { type Ratio, ratio } from './ratio';

export function rounds(count: number, groups: number): Ratio[] {
  const kinds: readonly { readonly kind: Rounds; readonly sharedCore: boolean }[] = [
    { kind: 'frames, TLS', sharedCore: false },
    { kind: 'blocking sockets', sharedCore: false },
    { kind: 'frames, TLS', sharedCore: true },
    { kind: 'blocking TLS', sharedCore: true },
    { kind: 'blocking sockets', sharedCore: true },
  ];
  const samples = kinds.map((): number[] => []);
  for (let group = 0; group < groups; group++) {
    kinds.forEach((kind, i) => {
      samples[i]?.push(1e6 * median([...binding().rounds({ ...kind, rounds: count })]));
    });
  }
  const [polling, apart, transport, tls, sockets] = samples as [
    number[],
    number[],
    number[],
    number[],
    number[],
  ];
  const us = (values: readonly number[]): string => `${median(values).toFixed(1)} us`;
  const suite = 'rounds';
  return [
    ratio(
      { suite, name: '64 bytes, TLS, a core each (polling)', bound: 'at most', goal: 40 },
      'us',
      polling,
      `median of ${count} rounds; blocking sockets ${us(apart)}`,
    ),
    ratio(
      { suite, name: '64 bytes, TLS, one core for both (blocking)', bound: 'at most', goal: 1.3 },
      '',
      transport.map((value, i) => value / (sockets[i] as number)),
      `${us(transport)}; blocking sockets ${us(sockets)}, blocking TLS ${us(tls)}`,
    ),
  ];
}

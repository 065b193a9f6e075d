// Networks whose layers read several others: DenseNet-121 (G. Huang et al., Densely Connected Convolutional Networks, 2016,
// table 1) and Inception v1 (C. Szegedy et al., Going Deeper with Convolutions, 2014, table 1 and figure 3), as published
// with local response normalisation or as later implementations with normalisations after its convolutions in place of
// it; without the classifiers that training adds.

import { NetworkBuilder } from './builder';

const GROWTH = 32;

/** DenseNet-121. Every layer reads all before it in its block. */
export function densenet121(size: number): Uint8Array {
  const b = new NetworkBuilder(`DenseNet-121 ${size}`, [3, size, size]);
  let x = b.maxPool(b.relu(b.convNorm('x', 3, 64, 7, { stride: 2, gain: 0.7 })), 3, 2, 1);
  let channels = 64;
  for (const [stage, layers] of [6, 12, 24, 16].entries()) {
    if (stage > 0) {
      channels /= 2;
      x = b.averagePool(b.plainConv(b.relu(b.norm(x, 2 * channels)), 2 * channels, channels, 1), 2, 2);
    }
    for (let layer = 0; layer < layers; layer++) {
      const narrow = b.relu(b.convNorm(b.relu(b.norm(x, channels)), channels, 4 * GROWTH, 1));
      x = b.concat([x, b.plainConv(narrow, 4 * GROWTH, GROWTH, 3)]);
      channels += GROWTH;
    }
  }
  x = b.relu(b.norm(x, channels));
  return b.build(b.linear(b.flatten(b.globalAverage(x)), channels, 1000), 1000);
}

/** Widths of an inception module: 1 x 1; 3 x 3 and before it; 5 x 5 and before it; behind the pooling. */
type Widths = readonly [number, number, number, number, number, number];

/** Inception v1 (GoogLeNet); `local`: with local response normalisation. */
export function inceptionV1(size: number, local = false): Uint8Array {
  const b = new NetworkBuilder(`Inception v1 ${size}${local ? ' LRN' : ''}`, [3, size, size]);
  const conv = (x: string, from: number, to: number, k: number, stride = 1, gain = 1): string =>
    b.relu(
      local
        ? b.conv(x, from, to, k, stride, (k - 1) >> 1, gain)
        : b.convNorm(x, from, to, k, { stride, gain }),
    );
  const norm = (x: string): string => (local ? b.localNorm(x) : x);
  let x = norm(b.maxPool(conv('x', 3, 64, 7, 2, 0.7), 3, 2, 0, true));
  x = b.maxPool(norm(conv(conv(x, 64, 64, 1), 64, 192, 3)), 3, 2, 0, true);
  let from = 192;
  const module = ([one, before3, three, before5, five, pooled]: Widths): void => {
    x = b.concat([
      conv(x, from, one, 1),
      conv(conv(x, from, before3, 1), before3, three, 3),
      conv(conv(x, from, before5, 1), before5, five, 5),
      conv(b.maxPool(x, 3, 1, 1), from, pooled, 1),
    ]);
    from = one + three + five + pooled;
  };
  module([64, 96, 128, 16, 32, 32]);
  module([128, 128, 192, 32, 96, 64]);
  x = b.maxPool(x, 3, 2, 0, true);
  module([192, 96, 208, 16, 48, 64]);
  module([160, 112, 224, 24, 64, 64]);
  module([128, 128, 256, 24, 64, 64]);
  module([112, 144, 288, 32, 64, 64]);
  module([256, 160, 320, 32, 128, 128]);
  x = b.maxPool(x, 3, 2, 0, true);
  module([256, 160, 320, 32, 128, 128]);
  module([384, 192, 384, 48, 128, 128]);
  return b.build(b.linear(b.flatten(b.globalAverage(x)), from, 1000), 1000);
}

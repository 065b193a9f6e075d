// Networks made to be small: SqueezeNet 1.1 (F. Iandola et al., 2016, and its repository), MobileNetV2 (M. Sandler et al.,
// 2018, table 2), ShuffleNet v2 (N. Ma et al., 2018, table 5, width 1.0); forms as in torchvision.

import { NetworkBuilder } from './builder';

/** SqueezeNet 1.1: fire modules of a squeezing 1 x 1 convolution and two that expand. */
export function squeezenet(size: number): Uint8Array {
  const b = new NetworkBuilder(`SqueezeNet 1.1 ${size}`, [3, size, size]);
  let x = b.maxPool(b.relu(b.conv('x', 3, 64, 3, 2, 0)), 3, 2, 0, true);
  let from = 64;
  const fire = (squeeze: number, expand: number): void => {
    const s = b.relu(b.conv(x, from, squeeze, 1));
    x = b.concat([b.relu(b.conv(s, squeeze, expand, 1)), b.relu(b.conv(s, squeeze, expand, 3))]);
    from = 2 * expand;
  };
  fire(16, 64);
  fire(16, 64);
  x = b.maxPool(x, 3, 2, 0, true);
  fire(32, 128);
  fire(32, 128);
  x = b.maxPool(x, 3, 2, 0, true);
  for (const [squeeze, expand] of [
    [48, 192],
    [48, 192],
    [64, 256],
    [64, 256],
  ] as const)
    fire(squeeze, expand);
  return b.build(b.flatten(b.globalAverage(b.relu(b.conv(x, from, 1000, 1)))), 1000);
}

/** MobileNetV2: inverted residuals, linear at their narrow ends. */
export function mobilenetV2(size: number): Uint8Array {
  const b = new NetworkBuilder(`MobileNetV2 ${size}`, [3, size, size]);
  let x = b.relu6(b.convNorm('x', 3, 32, 3, { stride: 2, gain: 0.7 }));
  let from = 32;
  for (const [expansion, to, blocks, first] of [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ] as const) {
    for (let block = 0; block < blocks; block++) {
      const stride = block === 0 ? first : 1;
      const width = expansion * from;
      let y = expansion === 1 ? x : b.relu6(b.convNorm(x, from, width, 1, { gain: 0.7 }));
      y = b.relu6(b.convNorm(y, width, width, 3, { stride, groups: width }));
      const isResidual = stride === 1 && from === to;
      y = b.convNorm(y, width, to, 1, { scale: isResidual ? 0.5 : 1 });
      x = isResidual ? b.sum(x, y) : y;
      from = to;
    }
  }
  x = b.relu6(b.convNorm(x, from, 1280, 1, { gain: 0.7 }));
  return b.build(b.linear(b.flatten(b.globalAverage(x)), 1280, 1000), 1000);
}

/** ShuffleNet v2, width 1.0. The size is a multiple of 32. */
export function shufflenetV2(size: number): Uint8Array {
  const b = new NetworkBuilder(`ShuffleNet v2 ${size}`, [3, size, size]);
  const relu = (x: string, from: number, to: number, gain = 1): string =>
    b.relu(b.convNorm(x, from, to, 1, { gain }));
  let x = b.maxPool(b.relu(b.convNorm('x', 3, 24, 3, { stride: 2, gain: 0.7 })), 3, 2, 1);
  let from = 24;
  let side = size / 4;
  for (const [to, blocks] of [
    [116, 4],
    [232, 8],
    [464, 4],
  ] as const) {
    const half = to / 2;
    side /= 2;
    for (let block = 0; block < blocks; block++) {
      const stride = block === 0 ? 2 : 1;
      const depthwise = (y: string, width: number): string =>
        b.convNorm(y, width, width, 3, { stride, groups: width });
      const [left, right] = block === 0 ? [x, x] : b.halves(x, to);
      const kept = block === 0 ? relu(depthwise(left, from), from, half, 0.7) : left;
      const inner = relu(right, block === 0 ? from : half, half);
      const made = relu(depthwise(inner, half), half, half, 0.7);
      x = b.shuffle(b.concat([kept, made]), to, side, 2);
    }
    from = to;
  }
  x = relu(x, from, 1024);
  return b.build(b.linear(b.flatten(b.globalAverage(x)), 1024, 1000), 1000);
}

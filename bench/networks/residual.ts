// ResNet-18 and ResNet-50: K. He et al., Deep Residual Learning for Image Recognition (2015), table 1. ResNet-18 has its
// normalisations folded into the convolutions already, ResNet-50 has them as torchvision does, with the stride in the
// 3 x 3 convolution of a bottleneck.

import { NetworkBuilder } from './builder';

/** ResNet-18; `small`: the CIFAR stem (3 x 3, stride 1, no pooling). */
export function resnet18(size: number, small: boolean): Uint8Array {
  const b = new NetworkBuilder(`ResNet-18 ${size}`, [3, size, size]);
  let x = b.relu(small ? b.conv('x', 3, 64, 3) : b.conv('x', 3, 64, 7, 2));
  if (!small) x = b.maxPool(x, 3, 2, 1);
  let from = 64;
  for (const [stage, to] of [64, 128, 256, 512].entries()) {
    for (let block = 0; block < 2; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const branch = b.conv(b.relu(b.conv(x, from, to, 3, stride)), to, to, 3, 1, 1, 0.5);
      const skip = stride === 1 && from === to ? x : b.conv(x, from, to, 1, stride, 0, 0.7);
      x = b.relu(b.sum(branch, skip));
      from = to;
    }
  }
  const classes = small ? 10 : 1000;
  return b.build(b.linear(b.flatten(b.globalAverage(x)), 512, classes), classes);
}

/** ResNet-50. */
export function resnet50(size: number): Uint8Array {
  const b = new NetworkBuilder(`ResNet-50 ${size}`, [3, size, size]);
  let x = b.maxPool(b.relu(b.convNorm('x', 3, 64, 7, { stride: 2, gain: 0.7 })), 3, 2, 1);
  let from = 64;
  for (const [stage, blocks] of [3, 4, 6, 3].entries()) {
    const width = 64 * 2 ** stage;
    const to = 4 * width;
    for (let block = 0; block < blocks; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const inner = b.relu(b.convNorm(b.relu(b.convNorm(x, from, width, 1)), width, width, 3, { stride }));
      const branch = b.convNorm(inner, width, to, 1, { scale: 0.5 });
      const skip = block === 0 ? b.convNorm(x, from, to, 1, { stride, scale: 0.7 }) : x;
      x = b.relu(b.sum(branch, skip));
      from = to;
    }
  }
  return b.build(b.linear(b.flatten(b.globalAverage(x)), from, 1000), 1000);
}

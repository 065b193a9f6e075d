// The networks of the benchmark, by name.

import { NetworkBuilder } from './builder';

export interface Network {
  readonly name: string;
  /** Shape of one input. */
  readonly input: readonly number[];
  readonly build: () => Uint8Array;
}

/** ResNet-18; `small`: the CIFAR stem (3 x 3, stride 1, no pooling). */
function resnet18(size: number, small: boolean): Uint8Array {
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

function lenet(): Uint8Array {
  const b = new NetworkBuilder('LeNet-5', [1, 28, 28]);
  let x = b.maxPool(b.relu(b.conv('x', 1, 6, 5)), 2, 2);
  x = b.maxPool(b.relu(b.conv(x, 6, 16, 5, 1, 0)), 2, 2);
  x = b.relu(b.linear(b.flatten(x), 400, 120));
  return b.build(b.linear(b.relu(b.linear(x, 120, 84)), 84, 10), 10);
}

function alexnet(): Uint8Array {
  const b = new NetworkBuilder('AlexNet', [3, 224, 224]);
  let x = b.maxPool(b.relu(b.conv('x', 3, 64, 11, 4, 2)), 3, 2);
  x = b.maxPool(b.relu(b.conv(x, 64, 192, 5)), 3, 2);
  x = b.relu(b.conv(x, 192, 384, 3));
  x = b.relu(b.conv(x, 384, 256, 3));
  x = b.maxPool(b.relu(b.conv(x, 256, 256, 3)), 3, 2);
  x = b.relu(b.linear(b.flatten(x), 256 * 36, 4096));
  return b.build(b.linear(b.relu(b.linear(x, 4096, 4096)), 4096, 1000), 1000);
}

function vgg16(): Uint8Array {
  const b = new NetworkBuilder('VGG-16 32', [3, 32, 32]);
  let x = 'x';
  let from = 3;
  for (const [width, convolutions] of [
    [64, 2],
    [128, 2],
    [256, 3],
    [512, 3],
    [512, 3],
  ] as const) {
    for (let i = 0; i < convolutions; i++) {
      x = b.relu(b.conv(x, from, width, 3));
      from = width;
    }
    x = b.maxPool(x, 2, 2);
  }
  x = b.relu(b.linear(b.flatten(x), 512, 512));
  return b.build(b.linear(b.relu(b.linear(x, 512, 512)), 512, 10), 10);
}

export const NETWORKS: readonly Network[] = [
  { name: 'ResNet-18 32x32', input: [3, 32, 32], build: () => resnet18(32, true) },
  { name: 'ResNet-18 224x224', input: [3, 224, 224], build: () => resnet18(224, false) },
  { name: 'LeNet-5', input: [1, 28, 28], build: lenet },
  { name: 'AlexNet 224x224', input: [3, 224, 224], build: alexnet },
  { name: 'VGG-16 32x32', input: [3, 32, 32], build: vgg16 },
];

// Chains of convolutions, pooling and fully connected layers: LeNet-5 as MNIST implementations have it, AlexNet with the
// widths of A. Krizhevsky, One weird trick for parallelizing convolutional neural networks (2014) as in torchvision, VGG of
// K. Simonyan and A. Zisserman, Very Deep Convolutional Networks (2014), configurations D and E.
//
// What the convolutions leave of an image smaller than 224 x 224 is what the first fully connected layer takes.
// `narrow` divides the width of the fully connected layers: 1 is the network, tests take more.

import { NetworkBuilder } from './builder';

export function lenet(): Uint8Array {
  const b = new NetworkBuilder('LeNet-5', [1, 28, 28]);
  let x = b.maxPool(b.relu(b.conv('x', 1, 6, 5)), 2, 2);
  x = b.maxPool(b.relu(b.conv(x, 6, 16, 5, 1, 0)), 2, 2);
  x = b.relu(b.linear(b.flatten(x), 400, 120));
  return b.build(b.linear(b.relu(b.linear(x, 120, 84)), 84, 10), 10);
}

/** AlexNet. The smallest image is 63 x 63. */
export function alexnet(size = 224, narrow = 1): Uint8Array {
  const name = size === 224 ? 'AlexNet' : `AlexNet ${size}`;
  const b = new NetworkBuilder(name, [3, size, size]);
  let x = b.maxPool(b.relu(b.conv('x', 3, 64, 11, 4, 2)), 3, 2);
  x = b.maxPool(b.relu(b.conv(x, 64, 192, 5)), 3, 2);
  x = b.relu(b.conv(x, 192, 384, 3));
  x = b.relu(b.conv(x, 384, 256, 3));
  x = b.maxPool(b.relu(b.conv(x, 256, 256, 3)), 3, 2);
  const pooled = (d: number): number => Math.floor((d - 3) / 2) + 1;
  const left = pooled(pooled(pooled(Math.floor((size + 4 - 11) / 4) + 1)));
  const width = 4096 / narrow;
  x = b.relu(b.linear(b.flatten(x), 256 * left * left, width));
  return b.build(b.linear(b.relu(b.linear(x, width, width)), width, 1000), 1000);
}

/** The convolutions of VGG: width, and how many of it stand before a pooling. */
function vgg(b: NetworkBuilder, stages: readonly (readonly [number, number])[]): string {
  let x = 'x';
  let from = 3;
  for (const [width, convolutions] of stages) {
    for (let i = 0; i < convolutions; i++) {
      x = b.relu(b.conv(x, from, width, 3));
      from = width;
    }
    x = b.maxPool(x, 2, 2);
  }
  return b.flatten(x);
}

/** VGG-16 for images of 32 x 32 and 10 classes, with fully connected layers of 512. */
export function vgg16(): Uint8Array {
  const b = new NetworkBuilder('VGG-16 32', [3, 32, 32]);
  const features = vgg(b, [
    [64, 2],
    [128, 2],
    [256, 3],
    [512, 3],
    [512, 3],
  ]);
  const x = b.relu(b.linear(features, 512, 512));
  return b.build(b.linear(b.relu(b.linear(x, 512, 512)), 512, 10), 10);
}

/** VGG-19. The size is a multiple of 32. */
export function vgg19(size: number, narrow = 1): Uint8Array {
  const b = new NetworkBuilder(`VGG-19 ${size}`, [3, size, size]);
  const features = vgg(b, [
    [64, 2],
    [128, 2],
    [256, 4],
    [512, 4],
    [512, 4],
  ]);
  const width = 4096 / narrow;
  const x = b.relu(b.linear(features, 512 * (size / 32) ** 2, width));
  return b.build(b.linear(b.relu(b.linear(x, width, width)), width, 1000), 1000);
}

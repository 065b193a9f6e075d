// The networks of the benchmark, by name.

import { densenet121, inceptionV1 } from './branching';
import { alexnet, lenet, vgg16, vgg19 } from './classic';
import { mobilenetV2, shufflenetV2, squeezenet } from './mobile';
import { resnet18, resnet50 } from './residual';

export interface Network {
  readonly name: string;
  /** Shape of one input. */
  readonly input: readonly number[];
  readonly build: () => Uint8Array;
}

/** Networks for images of ImageNet, by name: each takes the height and width of its input. */
export const IMAGE_NETWORKS: Readonly<Record<string, (size: number) => Uint8Array>> = {
  'ResNet-50': resnet50,
  'SqueezeNet 1.1': squeezenet,
  MobileNetV2: mobilenetV2,
  'ShuffleNet v2': shufflenetV2,
  'DenseNet-121': densenet121,
  'Inception v1': (size) => inceptionV1(size),
  'Inception v1 with LRN': (size) => inceptionV1(size, true),
  'VGG-19': (size) => vgg19(size),
};

const of = (name: string, size: number, build: (size: number) => Uint8Array): Network => ({
  name: `${name} ${size}x${size}`,
  input: [3, size, size],
  build: () => build(size),
});

export const NETWORKS: readonly Network[] = [
  of('ResNet-18', 32, (size) => resnet18(size, true)),
  of('ResNet-18', 224, (size) => resnet18(size, false)),
  { name: 'LeNet-5', input: [1, 28, 28], build: lenet },
  of('AlexNet', 224, alexnet),
  of('VGG-16', 32, vgg16),
  ...Object.entries(IMAGE_NETWORKS).map(([name, build]) => of(name, 224, build)),
];

// What CrypTen 0.4.0 with PyTorch 1.13 measured on a 2-core AMD EPYC (Zen 4, AVX-512) machine: two party processes over
// loopback, one thread each, default configuration; lowest per-pass medians after warm-up, in milliseconds. Online is the total
// without the time its provider takes for triples. Absolute times belong to that machine: compare ratios only.

export interface PeerFigures {
  readonly total: number;
  readonly online: number;
  readonly rounds?: number;
  readonly megabytes: number;
}

export const CRYPTEN: Readonly<Record<string, PeerFigures>> = {
  'multiply 1e6': { total: 88, online: 33, rounds: 1, megabytes: 16.0 },
  'ReLU 1e4': { total: 14.7, online: 8.0, rounds: 9, megabytes: 2.32 },
  'ReLU 1e5': { total: 123, online: 57, rounds: 9, megabytes: 23.2 },
  'ReLU 1e6': { total: 1555, online: 762, rounds: 9, megabytes: 232 },
  // By erf; by x sigmoid(1.702 x) it took 1274 and 587.
  'GELU 128x3072': { total: 1076, online: 473, rounds: 35, megabytes: 154 },
  'matmul 256x256x256': { total: 18.8, online: 12.2, rounds: 1, megabytes: 1.05 },
  'matmul 1024x1024x1024': { total: 1027, online: 758, rounds: 1, megabytes: 16.8 },
  'max of 128x128': { total: 138, online: 95, rounds: 79, megabytes: 11.0 },
  'softmax 1x12x128x128': { total: 1042, online: 537, rounds: 116, megabytes: 146 },
  'LayerNorm 128x768': { total: 48, online: 36, rounds: 20, megabytes: 2.39 },
  'exp 1e5': { total: 53, online: 22, rounds: 8, megabytes: 6.4 },
  'reciprocal 1e5': { total: 336, online: 164, rounds: 38, megabytes: 55.2 },
  'inverse square root 1e5': { total: 130, online: 66, rounds: 17, megabytes: 18.4 },
  'sigmoid 1e5': { total: 226, online: 101, rounds: 23, megabytes: 37.6 },
  'tanh 1e5': { total: 263, online: 108, rounds: 23, megabytes: 37.6 },
  'conv 3x3 64 to 64, 56x56': { total: 120, online: 88, rounds: 1, megabytes: 1.9 },
  'LeNet-5': { total: 250, online: 194, rounds: 133, megabytes: 6.69 },
  'ResNet-18 32x32': { total: 2201, online: 1218, rounds: 174, megabytes: 224 },
  'ResNet-18 224x224': { total: 15205, online: 7561, rounds: 231, megabytes: 1990 },
  'AlexNet 224x224': { total: 11660, online: 5894, rounds: 242, megabytes: 1197 },
};

/** CrypTorch (March 2026), its MNIST program by its own counters: sent plus received by a party, for a batch. */
export const MNIST = { batch: 250, rounds: 65, megabytes: 153.5 } as const;

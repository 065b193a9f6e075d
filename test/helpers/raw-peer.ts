// A peer made by hand, which can say anything: it speaks TLS by node:tls (or plain TCP) and writes frames itself.

import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { DEPLOYMENT } from './roles';

export const CONTROL = 0xffffffff;
export const INTRODUCTION = 0xfffffffe;

export interface RawHeader {
  readonly bytes?: number | bigint;
  readonly sequence: number;
  readonly exchange: number;
  readonly clock?: number;
  readonly crc?: number;
}

/** A frame as it is on the wire; the length of the payload is what the header says, unless that says otherwise. */
export function rawFrame(header: RawHeader, payload: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.alloc(24);
  head.writeBigUInt64LE(BigInt(header.bytes ?? payload.length), 0);
  head.writeUInt32LE(header.sequence, 8);
  head.writeUInt32LE(header.exchange, 12);
  head.writeUInt32LE(header.clock ?? 1, 16);
  head.writeUInt32LE(header.crc ?? 0, 20);
  return Buffer.concat([head, payload]);
}

export function introduction(role: number, parties: number, deployment = DEPLOYMENT): Buffer {
  const fixed = Buffer.alloc(24);
  fixed.write('CTTLINK1', 'latin1');
  fixed.writeUInt32LE(role, 8);
  fixed.writeUInt32LE(parties, 12);
  fixed.writeUInt32LE(0, 16);
  fixed.writeUInt32LE(deployment.length, 20);
  return rawFrame(
    { sequence: 0, exchange: INTRODUCTION, clock: 0 },
    Buffer.concat([fixed, Buffer.from(deployment)]),
  );
}

/** A connection with certificates; its errors are not thrown, its end is `closed`. */
export async function rawTls(port: number, options: ConnectionOptions): Promise<Socket> {
  const socket = connectTls({
    host: '127.0.0.1',
    port,
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['cryptorch/1'],
    checkServerIdentity: () => undefined,
    ...options,
  });
  await once(socket, 'secureConnect');
  socket.on('error', () => {});
  return socket;
}

export async function rawTcp(port: number): Promise<Socket> {
  const socket = createConnection(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => {});
  return socket;
}

export async function closed(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

// A wire between two roles that a test can tamper with: a TCP proxy on loopback that knows where frames begin (plain
// TCP only) and lets a filter say what becomes of each.

import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';

export interface Frame {
  /** From the side that connected to the one that listens. */
  readonly up: boolean;
  readonly exchange: number;
  readonly sequence: number;
  /** Header and payload. */
  readonly bytes: Buffer;
}

/** What is sent on instead of a frame; `stall`: nothing any more in this direction; `cut`: the connection ends. */
export type Fate = readonly Buffer[] | 'stall' | 'cut';
export type Filter = (frame: Frame) => Fate;

export const CONTROL = 0xffffffff;
export const INTRODUCTION = 0xfffffffe;
export const HEADER = 24;

export class Wire {
  private filter: Filter | undefined;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    /** Port of the listening side. */
    public target: number | undefined,
  ) {}

  static async open(target?: number): Promise<Wire> {
    const server = createServer();
    const wire = new Wire(server, target);
    server.on('connection', (socket) => wire.accept(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return wire;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** From now on, for all connections. Without a filter, bytes pass as they come. */
  tamper(filter: Filter | undefined): void {
    this.filter = filter;
  }

  /** Ends all connections; new ones may come. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  close(): void {
    this.server.close();
    this.cut();
  }

  private accept(near: Socket): void {
    if (this.target === undefined) {
      near.destroy();
      return;
    }
    const far = createConnection(this.target, '127.0.0.1');
    const end = (): void => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      this.sockets.add(socket);
      socket.setNoDelay();
      socket.on('error', end);
      socket.on('close', () => {
        this.sockets.delete(socket);
        end();
      });
    }
    this.pass(near, far, true);
    this.pass(far, near, false);
  }

  private pass(from: Socket, to: Socket, up: boolean): void {
    let waiting: Buffer = Buffer.alloc(0);
    let stalled = false;
    from.on('data', (data) => {
      if (stalled) return;
      if (!this.filter && waiting.length === 0) {
        to.write(data);
        return;
      }
      waiting = Buffer.concat([waiting, data]);
      for (let bytes = frameOf(waiting); bytes && !stalled; bytes = frameOf(waiting)) {
        waiting = waiting.subarray(bytes.length);
        const frame: Frame = { up, exchange: bytes.readUInt32LE(12), sequence: bytes.readUInt32LE(8), bytes };
        const fate = this.filter?.(frame) ?? [bytes];
        stalled = fate === 'stall' || fate === 'cut';
        if (fate === 'cut') from.destroy();
        if (typeof fate !== 'string') for (const part of fate) to.write(part);
      }
    });
  }
}

/** The first frame of `data`, once it is complete. */
function frameOf(data: Buffer): Buffer | undefined {
  if (data.length < HEADER) return undefined;
  const length = HEADER + Number(data.readBigUInt64LE(0));
  return data.length < length ? undefined : data.subarray(0, length);
}

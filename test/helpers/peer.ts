// A peer made by hand: greets properly and then says what a test wants it to say.

import { CryptorchError } from '../../lib';
import { Endpoint, type EndpointEvent } from '../../lib/native-endpoint';
import type { Deployment } from '../../lib/runtime/deployment';
import {
  decodeMessage,
  encodeMessage,
  encodeSeed,
  type Hello,
  type Message,
  MOST_CONTROL_BYTES,
  PROTOCOL,
  type Received,
} from '../../lib/runtime/messages';

export class Peer {
  readonly endpoint: Endpoint;
  readonly heard: { readonly from: number; readonly message: Received }[] = [];
  private readonly watchers = new Set<() => void>();

  constructor(
    readonly deployment: Deployment,
    readonly role: number,
    private readonly changed: Partial<Hello> = {},
  ) {
    this.endpoint = new Endpoint({
      role,
      parties: deployment.parties,
      deployment: deployment.name,
      tls: null,
      maxFrameBytes: 1 << 20,
      maxControlBytes: MOST_CONTROL_BYTES,
      onEvent: (event) => this.event(event),
    });
  }

  say(peer: number, message: Message): void {
    this.send(peer, encodeMessage(message));
  }

  /** Sends any bytes, unless the peer has closed the link already. */
  send(peer: number, data: Uint8Array): void {
    try {
      this.endpoint.send(peer, data);
    } catch (error) {
      if (!CryptorchError.is(error, 'CONNECTION')) throw error;
    }
  }

  /** The next message of this type, from anybody; earlier ones count. */
  async hear<T extends Received['type']>(type: T): Promise<Extract<Received, { type: T }>> {
    for (;;) {
      const at = this.heard.findIndex(({ message }) => message.type === type);
      if (at >= 0) return this.heard.splice(at, 1)[0]!.message as Extract<Received, { type: T }>;
      await new Promise<void>((resolve) => this.watchers.add(resolve));
    }
  }

  private event(event: EndpointEvent): void {
    if (event.type === 'message') this.heard.push({ from: event.peer, message: decodeMessage(event.data) });
    if (event.type === 'up') {
      const { name, parties, hashes } = this.deployment;
      this.say(event.peer, {
        type: 'hello',
        protocol: PROTOCOL,
        deployment: name,
        role: this.role,
        parties,
        programs: hashes,
        epoch: 0,
        opens: true,
        highestEpoch: 0,
        highestRun: 0,
        ...this.changed,
      });
      const tellsSeed = event.peer === parties || (this.role < parties && event.peer > this.role);
      if (tellsSeed) this.send(event.peer, encodeSeed(new Uint8Array(16).fill(this.role + 1)));
    }
    for (const resolve of this.watchers) resolve();
    this.watchers.clear();
  }
}

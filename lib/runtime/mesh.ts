// The links of one role to all others: connecting with growing pauses, greeting, agreeing, and telling its owner what
// arrives over links on which both sides have agreed.
//
// Who listens: the dealer for every party, a party for the parties with higher numbers. On every new link both sides
// say hello; a difference ends the link with a refusal that names it. A seed for the other side follows the hello.
// Nothing is sent over a link from before a failure: `reset` closes all of them, and they are made again.

import { CryptorchError } from '../errors';
import type { Role } from '../keys/role';
import { Endpoint, type EndpointEvent } from '../native-endpoint';
import { Agreement, untimely } from './agreement';
import type { Reporter } from './events';
import { coded, fromPeer, isLasting } from './failure';
import { type Difference, difference, type Greeting, type Membership, makeHello } from './hello';
import {
  decodeMessage,
  encodeMessage,
  encodeSeed,
  type Hello,
  type Message,
  MOST_CONTROL_BYTES,
} from './messages';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface MeshConfig extends Membership {
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string } | null;
  readonly listen: Address | undefined;
  /** Where the peers are that this role connects to. */
  readonly peers: ReadonlyMap<number, Address>;
  readonly maxFrameBytes: number;
  /** Milliseconds for one attempt to connect, and for a greeting. */
  readonly connectMs: number;
  readonly controlMs: number;
}

export type Notice = Exclude<Message, { type: 'hello' | 'refuse' }>;

export interface MeshOwner {
  greeting(): Greeting;
  /** The seed that a peer is told with the hello, a copy that is wiped then; and whether it tells one. */
  seedFor(peer: number): Uint8Array | undefined;
  expectsSeed(peer: number): boolean;
  /** Both sides have agreed on this link. */
  greeted(peer: number, hello: Hello, seed: Uint8Array | undefined): void;
  notice(peer: number, notice: Notice): void;
  /** A link on which both sides had agreed is gone. */
  lost(peer: number, error: CryptorchError): void;
  /** A link does not come about. */
  trouble(peer: number, error: CryptorchError): void;
}

interface Link {
  state: 'down' | 'dialing' | 'up' | 'greeted' | 'closing';
  /** Of the link that stands, or is about to. */
  agreement?: Agreement | undefined;
  timer?: NodeJS.Timeout | undefined;
  attempts: number;
  trouble?: string | undefined;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 3000;

export class Mesh {
  readonly endpoint: Endpoint;
  private readonly links = new Map<number, Link>();
  private closed = false;

  constructor(
    private readonly config: MeshConfig,
    private readonly owner: MeshOwner,
    private readonly reporter: Reporter,
  ) {
    const { role, parties, deployment, tls, maxFrameBytes } = config;
    const maxControlBytes = MOST_CONTROL_BYTES;
    // What is thrown into the native core is lost; a bug shall be seen.
    const onEvent = (event: EndpointEvent): void => {
      try {
        this.event(event);
      } catch (error) {
        process.nextTick(() => {
          throw error;
        });
      }
    };
    this.endpoint = new Endpoint({ role, parties, deployment, tls, maxFrameBytes, maxControlBytes, onEvent });
    for (let peer = 0; peer <= parties; peer++) {
      if (peer !== role) this.links.set(peer, { state: 'down', attempts: 0 });
    }
  }

  /** Listens, and connects until every link stands. Gives the port. */
  async open(): Promise<number | undefined> {
    const { listen } = this.config;
    const port = listen && (await this.endpoint.listen(listen.host, listen.port));
    for (const peer of this.config.peers.keys()) void this.dial(peer);
    return port;
  }

  /** Every peer is there and has agreed. */
  get complete(): boolean {
    return [...this.links.values()].every((link) => link.state === 'greeted');
  }

  /** Peers that are not there. */
  get missing(): Role[] {
    return [...this.links].flatMap(([peer, link]) => (link.state === 'greeted' ? [] : [this.name(peer)]));
  }

  /** What every peer said in its hello. */
  get hellos(): Hello[] {
    return [...this.links.values()].flatMap(({ agreement }) => agreement?.hello ?? []);
  }

  name(peer: number): Role {
    return peer === this.config.parties ? 'dealer' : peer;
  }

  isGreeted(peer: number): boolean {
    return this.links.get(peer)?.state === 'greeted';
  }

  /** A link that breaks in the same moment is reported as lost; what was to be sent is not needed then. */
  send(peer: number, message: Notice): void {
    if (this.isGreeted(peer)) this.put(peer, encodeMessage(message));
  }

  broadcast(message: Notice): void {
    for (const peer of this.links.keys()) this.send(peer, message);
  }

  /** Closes every link; what was sent before still goes out. */
  reset(): void {
    for (const peer of this.links.keys()) this.disconnect(peer);
  }

  /** All is well: the next attempt to connect need not wait for long. */
  calm(): void {
    for (const link of this.links.values()) link.attempts = 0;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.reset();
    for (const link of this.links.values()) clearTimeout(link.timer);
    await this.endpoint.close();
  }

  // ---- connecting ----------------------------------------------------------------------------------------------

  private async dial(peer: number): Promise<void> {
    const address = this.config.peers.get(peer);
    const link = this.link(peer);
    if (address === undefined || link.state !== 'down' || this.closed) return;
    link.state = 'dialing';
    try {
      await this.endpoint.connect(peer, address.host, address.port, this.config.connectMs);
    } catch (error) {
      if (this.closed || this.link(peer).state !== 'dialing') return;
      const { code, message } = coded(error);
      link.state = 'down';
      this.trouble(
        peer,
        fromPeer(this.name(peer), code, `${message} (${address.host}:${address.port})`, error),
      );
      this.redial(peer);
    }
  }

  private redial(peer: number): void {
    const link = this.link(peer);
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** link.attempts++);
    clearTimeout(link.timer);
    link.timer = setTimeout(() => void this.dial(peer), pause * (0.5 + Math.random()));
  }

  private disconnect(peer: number): void {
    const link = this.link(peer);
    if (link.state !== 'up' && link.state !== 'greeted') return;
    link.state = 'closing';
    clearTimeout(link.timer);
    this.endpoint.disconnect(peer);
  }

  private link(peer: number): Link {
    return this.links.get(peer) as Link;
  }

  // ---- what happens on links -----------------------------------------------------------------------------------

  private event(event: EndpointEvent): void {
    if (this.closed) return;
    switch (event.type) {
      case 'up':
        this.up(event.peer, event.address);
        break;
      case 'down':
        this.down(event.peer, event.code, event.message);
        break;
      case 'message':
        this.message(event.peer, event.data);
        break;
      case 'refused': {
        const { address, code, message } = event;
        this.reporter.peer({ state: 'refused', address, code, message });
        break;
      }
    }
  }

  private up(peer: number, address: string): void {
    const link = this.link(peer);
    clearTimeout(link.timer);
    const agreement = new Agreement(this.config, peer, this.owner.expectsSeed(peer));
    Object.assign(link, { state: 'up', agreement });
    this.reporter.peer({ peer: this.name(peer), state: 'up', address });
    this.put(peer, encodeMessage(makeHello(this.config, this.owner.greeting())));
    const seed = this.owner.seedFor(peer);
    if (seed) {
      const encoded = encodeSeed(seed);
      this.put(peer, encoded);
      encoded.fill(0);
      seed.fill(0);
    }
    const late = (): void =>
      this.drop(peer, new CryptorchError('TIMEOUT', 'it connected but did not say hello in time'));
    link.timer = setTimeout(late, this.config.controlMs);
  }

  private down(peer: number, code: string, message: string): void {
    const link = this.link(peer);
    const { state } = link;
    if (state === 'down' || state === 'dialing') return;
    clearTimeout(link.timer);
    Object.assign(link, { state: 'down', agreement: undefined });
    this.reporter.peer({ peer: this.name(peer), state: 'down', code, message });
    const error = fromPeer(this.name(peer), code, message);
    this.redial(peer);
    if (state === 'greeted') this.owner.lost(peer, error);
    else if (state === 'up') this.trouble(peer, error);
  }

  /** Ends a link for a reason of this side. */
  private drop(peer: number, reason: CryptorchError): void {
    const { state } = this.link(peer);
    if (state !== 'up' && state !== 'greeted') return;
    const error = fromPeer(this.name(peer), reason.code, reason.message, reason);
    this.disconnect(peer);
    if (state === 'greeted') this.owner.lost(peer, error);
    else this.trouble(peer, error);
  }

  /** Told again only when it is another trouble than before. */
  private trouble(peer: number, error: CryptorchError): void {
    const link = this.link(peer);
    const { code, message } = error;
    if (link.trouble !== message) {
      link.trouble = message;
      this.reporter.peer({ peer: this.name(peer), state: 'unreachable', code, message });
      if (isLasting(error)) this.reporter.error(error);
    }
    this.owner.trouble(peer, error);
  }

  private put(peer: number, data: Uint8Array): void {
    try {
      this.endpoint.send(peer, data);
    } catch (error) {
      if (!CryptorchError.is(error, 'CONNECTION')) throw error;
    }
  }

  private message(peer: number, data: Uint8Array): void {
    const link = this.link(peer);
    if (link.state !== 'up' && link.state !== 'greeted') return;
    try {
      this.receive(peer, link, data);
    } catch (error) {
      this.drop(peer, coded(error));
    }
  }

  private receive(peer: number, link: Link, data: Uint8Array): void {
    const message = decodeMessage(data);
    if (message.type === 'refuse') {
      const { field, mine, theirs } = message;
      throw difference({ field, mine: theirs, theirs: mine }, 'It refused this side');
    }
    if (link.state === 'greeted') {
      if (message.type === 'hello' || message.type === 'seed') throw untimely(message);
      this.owner.notice(peer, message);
      return;
    }
    const agreement = link.agreement as Agreement;
    const refuse = (differs: Difference): void =>
      this.put(peer, encodeMessage({ type: 'refuse', ...differs }));
    if (!agreement.hear(message, refuse)) return;
    clearTimeout(link.timer);
    Object.assign(link, { state: 'greeted', trouble: undefined });
    const { hello, seed } = agreement;
    this.owner.greeted(peer, hello as Hello, seed);
    seed?.fill(0);
  }
}

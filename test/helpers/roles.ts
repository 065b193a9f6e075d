// Endpoints of one deployment over loopback, with certificates or without, and what they tell.

import type { ExecutionContext } from 'ava';
import { Authority, type Identity } from '../../lib/keys/authority';
import type { Role } from '../../lib/keys/role';
import { Endpoint, type EndpointConfig, type EndpointEvent } from '../../lib/native-endpoint';

export const DEPLOYMENT = 'test';

export interface Credentials {
  readonly authority: Authority;
  readonly ca: Identity;
}

export async function credentials(): Promise<Credentials> {
  const { authority, identity } = await Authority.create(DEPLOYMENT, { days: 2 });
  return { authority, ca: identity };
}

export async function tlsFor(
  { authority, ca }: Credentials,
  role: Role,
): Promise<NonNullable<EndpointConfig['tls']>> {
  const { certificate, key } = await authority.issue({ role, days: 1 });
  return { cert: certificate, key, ca: ca.certificate };
}

type Of<T extends EndpointEvent['type']> = Extract<EndpointEvent, { type: T }>;

/** An endpoint that remembers its events, and ends with its test. */
export class RoleEndpoint {
  readonly events: EndpointEvent[] = [];
  readonly endpoint: Endpoint;
  private readonly watchers = new Set<() => void>();

  constructor(
    t: ExecutionContext,
    config: Pick<EndpointConfig, 'role' | 'parties' | 'tls'> & Partial<EndpointConfig>,
  ) {
    this.endpoint = new Endpoint({
      deployment: DEPLOYMENT,
      maxFrameBytes: 1 << 26,
      maxControlBytes: 1 << 16,
      onEvent: (event) => {
        this.events.push(event);
        for (const resolve of this.watchers) resolve();
        this.watchers.clear();
      },
      ...config,
    });
    t.teardown(() => this.endpoint.close());
  }

  listen(): Promise<number> {
    return this.endpoint.listen('127.0.0.1', 0);
  }

  /** The next event of a type; earlier ones count, and each one once. */
  async next<T extends EndpointEvent['type']>(type: T): Promise<Of<T>> {
    for (;;) {
      const at = this.events.findIndex((event) => event.type === type);
      if (at >= 0) return this.events.splice(at, 1)[0] as Of<T>;
      await new Promise<void>((resolve) => this.watchers.add(resolve));
    }
  }
}

/** All roles of `parties` parties and a dealer, connected with each other. */
export async function connected(
  t: ExecutionContext,
  parties: number,
  trust: Credentials | null,
): Promise<RoleEndpoint[]> {
  const roles: RoleEndpoint[] = [];
  for (let role = 0; role <= parties; role++) {
    const tls = trust && (await tlsFor(trust, role === parties ? 'dealer' : role));
    roles.push(new RoleEndpoint(t, { role, parties, tls }));
  }
  const ports = await Promise.all(roles.map((role) => role.listen()));
  for (let role = 0; role < parties; role++) {
    for (const peer of [parties, ...Array(role).keys()]) {
      await roles[role]!.endpoint.connect(peer, '127.0.0.1', ports[peer]!, 5000);
    }
  }
  await Promise.all(roles.flatMap((role) => roles.slice(1).map(() => role.next('up'))));
  return roles;
}

// An HTTP service around a party, as both organisations have it: one Party for the life of the process, whose
// connections serve any number of runs, and GET /health for whoever watches the service.

import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { Party, type PartyConfig } from '../../lib/index'; // in an application: from 'cryptorch-native'
import type { OpenRole } from './role';

export interface ServiceConfig {
  readonly party: PartyConfig;
  /** On a loopback address: a proxy that ends TLS and knows the callers belongs in front of it. */
  readonly http: { readonly host: string; readonly port: number };
}

export async function openService(
  name: string,
  config: ServiceConfig,
  addRoutes: (app: FastifyInstance, party: Party) => void = () => {},
): Promise<OpenRole> {
  const party = await Party.open(config.party);
  const app = fastify({
    bodyLimit: 16_384,
    forceCloseConnections: true,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  });
  app.get('/health', (_request, reply) => {
    const { ready, epoch, queued, finished, failed, missing } = party.stats;
    return reply.code(ready ? 200 : 503).send({ ready, epoch, queued, finished, failed, missing });
  });
  addRoutes(app, party);
  // The party first: runs that are still queued end with an error, and their callers with an answer.
  const close = async (): Promise<void> => {
    await party.close();
    await app.close();
  };
  try {
    await app.listen(config.http);
  } catch (error) {
    await close();
    throw error;
  }
  let closed = false;
  const broken = new Promise<never>((_, reject) => {
    party.ready().then(
      () => process.stderr.write(`${name}: connected, epoch ${party.stats.epoch}\n`),
      (error: unknown) => {
        if (!closed) reject(error);
      },
    );
  });
  return {
    ports: { port: party.port, http: (app.server.address() as AddressInfo).port },
    broken,
    close: () => {
      closed = true;
      return close();
    },
  };
}

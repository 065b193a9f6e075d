// The local HTTP endpoint of a party: for services beside it that are written in something else. It hands inputs in and
// outputs out in the clear, so it listens on loopback addresses only and answers no browser.
//
//   GET  /health   200 or 503, and the party's statistics
//   POST /run      {"inputs": {NAME: {"shape": [...], "data": [...]}}} as JSON, or a .npz archive (application/x-npz);
//                  answered in kind
// An error is {"error": {"code", "message"}}. A caller that hangs up cancels its run.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import * as v from 'valibot';
import { CryptorchError, type ErrorName } from '../errors';
import { readNpz, writeNpz } from '../model/npz';
import { isTensorDtype, type Tensor, tensor } from '../tensor';
import { coded, nameOf } from './failure';
import type { Address } from './mesh';
import type { Tensors } from './numbers';
import type { Party } from './party';
import { type Schema, validate } from './validate';

const JSON_TYPE = 'application/json';
const NPZ_TYPE = 'application/x-npz';
const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

const STATUS: Partial<Record<ErrorName, number>> = {
  MISSING_INPUT: 400,
  UNKNOWN_INPUT: 400,
  INVALID_INPUT: 400,
  INVALID_NPY: 400,
  VALUE_RANGE: 400,
  INVALID_OPTION: 400,
  BUSY: 429,
  TIMEOUT: 504,
  INTERNAL: 500,
};

interface RunBody {
  readonly inputs: Readonly<
    Record<string, { readonly shape: number[]; readonly dtype?: string; readonly data: number[] }>
  >;
}

const body: Schema<RunBody> = v.strictObject({
  inputs: v.record(
    v.string(),
    v.strictObject({
      shape: v.array(v.number()),
      dtype: v.exactOptional(v.string()),
      data: v.array(v.number()),
    }),
  ),
});

/**
 * Serves until closed; resolves once it listens.
 * @throws CryptorchError CONFIG where the address is not on loopback; CONNECTION where it cannot listen there
 */
export async function serveParty(party: Party, index: number, address: Address): Promise<Server> {
  const { host, port } = address;
  if (!LOOPBACK.test(host)) {
    throw new CryptorchError(
      'CONFIG',
      `"http" must be on a loopback address such as 127.0.0.1, not ${host}: inputs pass here in the clear.`,
    );
  }
  const most = bodyLimit(party, index);
  const server = createServer((request, response) => {
    void answer(party, most, request, response).catch((error: unknown) => sendError(response, coded(error)));
  });
  server.requestTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new CryptorchError(
          'CONNECTION',
          `Cannot listen on ${host}:${port}: ${error.code}.`,
          { system: error.code },
          error,
        ),
      );
    });
    server.listen(port, host, resolve);
  });
  return server;
}

/** Enough for the largest batch as JSON. */
function bodyLimit(party: Party, index: number): number {
  const { deployment } = party;
  const sizes = deployment.programs.map((_, p) =>
    deployment.held('input', index, p).reduce((sum, io) => sum + io.shape.reduce((a, b) => a * b, 1), 0),
  );
  return 65_536 + 32 * Math.max(0, ...sizes);
}

async function answer(
  party: Party,
  most: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const name = (request.headers.host ?? '').replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  if (!LOOPBACK.test(name) || request.headers.origin !== undefined) {
    return refuse(response, 403, 'Only programs on this machine are answered, and no browser.');
  }
  const route = `${request.method} ${request.url}`;
  if (route === 'GET /health') {
    const { stats } = party;
    return send(response, stats.ready ? 200 : 503, JSON_TYPE, JSON.stringify(stats));
  }
  if (route !== 'POST /run') return refuse(response, 404, 'There are GET /health and POST /run.');
  const type = (request.headers['content-type'] ?? '').split(';')[0];
  if (type !== JSON_TYPE && type !== NPZ_TYPE)
    return refuse(response, 415, `Send ${JSON_TYPE} or ${NPZ_TYPE}.`);
  const bytes = await readBody(request, most);
  if (bytes === undefined) return refuse(response, 413, `The body may have ${most} bytes.`);
  const hungUp = new AbortController();
  response.once('close', () => hungUp.abort());
  const inputs =
    type === JSON_TYPE ? fromJson(bytes) : Object.fromEntries(readNpz(bytes, 'the request', most));
  const { run, outputs } = await party.run(inputs, { signal: hungUp.signal });
  if (type === NPZ_TYPE) return send(response, 200, NPZ_TYPE, writeNpz(outputs));
  const plain = Object.entries(outputs).map(([key, { shape, dtype, data }]) => [
    key,
    { shape, dtype, data: Array.from(data as ArrayLike<number | bigint>, Number) },
  ]);
  send(response, 200, JSON_TYPE, JSON.stringify({ run, outputs: Object.fromEntries(plain) }));
}

/** The whole body, or undefined if it is longer than allowed. */
async function readBody(request: IncomingMessage, most: number): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > most) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function fromJson(bytes: Buffer): Tensors {
  const refuse = (why: string): CryptorchError =>
    new CryptorchError('INVALID_INPUT', `The request was refused: ${why}.`);
  let data: unknown;
  try {
    data = JSON.parse(bytes.toString('utf8'));
  } catch {
    // Without the cause: it quotes the inputs.
    throw refuse('it is not JSON');
  }
  const { inputs } = validate(body, data, (where, why) => refuse(`${where || 'it'} ${why}`));
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, dtype, data: numbers }]): [string, Tensor] => {
      if (dtype !== undefined && !isTensorDtype(dtype)) throw refuse(`inputs.${name}.dtype is not known`);
      if (dtype?.includes('64') === true && dtype !== 'float64' && !numbers.every(Number.isSafeInteger)) {
        throw refuse(`inputs.${name}.data must be integers`);
      }
      return [name, tensor(numbers, shape, dtype)];
    }),
  );
}

function sendError(response: ServerResponse, error: CryptorchError): void {
  const { code, message } = error;
  send(response, STATUS[nameOf(error)] ?? 503, JSON_TYPE, JSON.stringify({ error: { code, message } }));
}

function refuse(response: ServerResponse, status: number, message: string): void {
  send(response, status, JSON_TYPE, JSON.stringify({ error: { message } }));
}

function send(response: ServerResponse, status: number, type: string, data: string | Uint8Array): void {
  if (response.headersSent || response.destroyed) return;
  response
    .writeHead(status, { 'content-type': type, connection: status === 413 ? 'close' : 'keep-alive' })
    .end(data);
}

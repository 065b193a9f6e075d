// The clinic's process, party 0: owns the images and alone learns the scores.
//
//   POST /classify   {"image": 8 rows of 8 grey values from 0 to 1, or all 64 in one list}
//                    -> {"digit": 7, "scores": [...]}
//   GET  /health     200 once all roles are connected, 503 before

import type { FastifyError, FastifyInstance } from 'fastify';
import { CryptorchError, type ErrorCode, type Party, tensor } from '../../lib/index'; // in an application: from 'cryptorch-native'
import { openService, type ServiceConfig } from './party-service';
import { serveRole } from './role';

interface Body {
  readonly image: readonly number[] | readonly number[][];
}

const SIDE = 8;

const list = (items: object, count: number): object => ({
  type: 'array',
  items,
  minItems: count,
  maxItems: count,
});
const grey = { type: 'number', minimum: 0, maximum: 1 };
const body = {
  type: 'object',
  required: ['image'],
  additionalProperties: false,
  properties: { image: { anyOf: [list(list(grey, SIDE), SIDE), list(grey, SIDE * SIDE)] } },
};

const EXPECTED = '"image" must be 8 rows of 8 numbers from 0 to 1, or all 64 in one list, and nothing else.';

/** Anything else means that a run cannot be had now: 503. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  ERR_CRYPTORCH_INVALID_INPUT: 400,
  ERR_CRYPTORCH_VALUE_RANGE: 400,
  ERR_CRYPTORCH_BUSY: 503,
  ERR_CRYPTORCH_TIMEOUT: 504,
  ERR_CRYPTORCH_INTERNAL: 500,
};

function addRoutes(app: FastifyInstance, party: Party): void {
  app.post<{ Body: Body }>('/classify', { schema: { body } }, async (request, reply) => {
    const image = tensor(request.body.image.flat(), [1, 1, SIDE, SIDE]);
    const hungUp = new AbortController();
    reply.raw.once('close', () => hungUp.abort());
    const { outputs } = await party.run({ image }, { signal: hungUp.signal });
    const scores = Array.from(outputs.logits!.data, Number);
    return { digit: scores.indexOf(Math.max(...scores)), scores };
  });
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const message = error.validation ? EXPECTED : error.message;
    if (CryptorchError.is(error)) {
      const status = STATUS[error.code] ?? 503;
      if (status === 503) reply.header('retry-after', '1');
      return reply.code(status).send({ error: { code: error.code, message } });
    }
    const { statusCode = 500 } = error;
    return reply
      .code(statusCode)
      .send({ error: { message: statusCode < 500 ? message : 'Something went wrong here.' } });
  });
}

void serveRole('clinic', (config: ServiceConfig) => openService('clinic', config, addRoutes));

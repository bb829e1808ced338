/**
 * A peer: what one would start with today. Fastify with response schemas, jose that verifies each token against the
 * tenant's keys, lean Mongoose queries, one line logged a request.
 */
import fastify, { LogController, type FastifyRequest } from 'fastify';
import { createRemoteJWKSet, jwtVerify, type JWTPayload } from 'jose';
import { connectPeer, env, type PeerTask } from './shared.ts';

declare module 'fastify' {
  interface FastifyRequest {
    claims: JWTPayload;
  }
}

const { tasks } = await connectPeer();
const metadata = await fetch(env('B2C_IDENTITY_METADATA').replace('{policy}', env('B2C_POLICY_NAME')));
const { issuer, jwks_uri: jwksUri } = (await metadata.json()) as { issuer: string; jwks_uri: string };
const keys = createRemoteJWKSet(new URL(jwksUri));

const app = fastify({ logger: true, logController: new LogController({ disableRequestLogging: true }) });
app.decorateRequest('claims');
app.addHook('onRequest', authenticate);
app.addHook('onResponse', async (req, reply) => {
  req.log.info({ method: req.method, url: req.url, status: reply.statusCode, ms: reply.elapsedTime }, 'handled');
});

const string = { type: 'string' };
const hello = { type: 'object', properties: { name: string } };
app.get('/hello', { schema: { response: { 200: hello } } }, async (req) => ({ name: req.claims['name'] }));

const task = {
  type: 'object',
  properties: {
    _id: string,
    Text: string,
    task: string,
    completed: { type: 'boolean' },
    date: string,
    completedAt: { type: ['string', 'null'] },
    createdAt: string,
    updatedAt: string,
  },
};
app.get('/api/tasks', { schema: { response: { 200: { type: 'array', items: task } } } }, async (req) => {
  const found = await tasks
    .find({ owner: String(req.claims['oid']), deletedAt: null })
    .sort({ date: 1, _id: 1 })
    .limit(20)
    .lean();
  return found.map(toTask);
});

await app.listen({ port: Number(env('PORT')), host: env('HOST') });

async function authenticate(req: FastifyRequest): Promise<void> {
  if (req.url === '/readyz') return;
  const token = req.headers.authorization?.replace(/^Bearer /, '') ?? '';
  const { payload } = await jwtVerify(token, keys, { issuer, audience: env('B2C_CLIENT_ID'), algorithms: ['RS256'] });
  req.claims = payload;
}

function toTask({ _id, Text, completed, date, completedAt, createdAt, updatedAt }: PeerTask) {
  return {
    _id: _id.toHexString(),
    Text,
    task: Text,
    completed,
    date: date.toISOString(),
    completedAt: completedAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}

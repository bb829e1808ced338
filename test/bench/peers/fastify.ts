/**
 * A peer: the fastest that one would start with today. Fastify with schemas, jose that verifies each token against the
 * tenant's keys, the native driver, one line logged a request.
 */
import fastify, { type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';
import { MongoClient, ObjectId } from 'mongodb';
import { DUE_FIRST, env, live, newTask, PAGE, type PeerTask, tenantMetadata, toTask } from './shared.ts';

declare module 'fastify' {
  interface FastifyRequest {
    claims: JWTPayload;
  }
}

const client = await new MongoClient(env('MONGODB_URI')).connect();
const tasks = client.db().collection<PeerTask>('tasks');
const { issuer, jwksUri } = await tenantMetadata();
const keys = createRemoteJWKSet(new URL(jwksUri));

const app = fastify({ logger: true, logController: new LogController({ disableRequestLogging: true }) });
app.decorateRequest('claims');
app.addHook('onRequest', authenticate);
app.addHook('onResponse', async (req, reply) => {
  req.log.info({ method: req.method, url: req.url, status: reply.statusCode, ms: reply.elapsedTime }, 'handled');
});

const string = { type: 'string' };
const optional = { type: ['string', 'null'] };
const boolean = { type: 'boolean' };
const step = { type: 'object', properties: { text: string, completed: boolean } };
const task = {
  type: 'object',
  properties: {
    _id: string,
    Text: string,
    task: string,
    completed: boolean,
    date: string,
    due: string,
    completedAt: optional,
    notes: optional,
    importance: string,
    categories: { type: 'array', items: string },
    checklist: { type: 'array', items: step },
    remindAt: optional,
    position: optional,
    createdAt: string,
    updatedAt: string,
  },
};
const hello = { type: 'object', properties: { name: string } };
const newTaskBody = { type: 'object', required: ['Text'], properties: { Text: string, date: string } };
const byId = { type: 'object', properties: { id: { type: 'string', pattern: '^[0-9a-f]{24}$' } } };

app.get('/hello', { schema: { response: { 200: hello } } }, async (req) => ({ name: req.claims['name'] }));

app.get('/api/tasks', { schema: { response: { 200: { type: 'array', items: task } } } }, async (req) => {
  const found = await tasks
    .find(live(ownerOf(req)))
    .sort(DUE_FIRST)
    .limit(PAGE)
    .toArray();
  return found.map(toTask);
});

app.get<{ Params: { id: string } }>(
  '/api/tasks/:id',
  { schema: { params: byId, response: { 200: task } } },
  async (req, reply) => {
    const found = await tasks.findOne({ ...live(ownerOf(req)), _id: new ObjectId(req.params.id) });
    return found === null ? await reply.code(404).send({ code: 'NotFound' }) : toTask(found);
  },
);

app.post<{ Body: { Text: string; date?: string } }>(
  '/api/tasks',
  { schema: { body: newTaskBody, response: { 201: task } } },
  async (req, reply) => {
    const created = newTask(ownerOf(req), req.body);
    await tasks.insertOne(created, { writeConcern: { w: 'majority', journal: true } });
    return reply.code(201).header('Location', `tasks/${created._id.toHexString()}`).send(toTask(created));
  },
);

await app.listen({ port: Number(env('PORT')), host: env('HOST') });

function ownerOf({ claims }: FastifyRequest): string {
  return String(claims['oid']);
}

async function authenticate(req: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (req.url === '/readyz') return;
  const token = req.headers.authorization?.replace(/^Bearer /, '') ?? '';
  try {
    const expected = { issuer, audience: env('B2C_CLIENT_ID'), algorithms: ['RS256'] };
    req.claims = (await jwtVerify(token, keys, expected)).payload;
  } catch {
    await reply.code(401).header('WWW-Authenticate', 'Bearer error="invalid_token"').send({ code: 'Unauthorized' });
  }
}

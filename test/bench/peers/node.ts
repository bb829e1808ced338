/**
 * The limit: what is left when nothing is checked. Bare `node:http`, which believes every token, and the native driver,
 * one line logged a request.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { MongoClient, ObjectId } from 'mongodb';
import { pino } from 'pino';
import { DUE_FIRST, env, live, newTask, PAGE, type PeerTask, toTask } from './shared.ts';

const client = await new MongoClient(env('MONGODB_URI')).connect();
const tasks = client.db().collection<PeerTask>('tasks');
const log = pino();

createServer((req, res) => {
  const begin = performance.now();
  void answer(req, res).then(() => {
    const { method, url } = req;
    log.info({ method, url, status: res.statusCode, ms: performance.now() - begin }, 'handled');
  });
}).listen(Number(env('PORT')), env('HOST'));

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const url = req.url ?? '/';
  if (url === '/hello') send(res, 200, { name: 'Alice' });
  else if (url === '/readyz') send(res, 200, { status: 'ready' });
  else if (req.method === 'POST') send(res, 201, await create(req));
  else if (url === '/api/tasks') send(res, 200, await list(req));
  else send(res, 200, await get(req, url.slice('/api/tasks/'.length)));
}

async function list(req: IncomingMessage): Promise<object> {
  return (
    await tasks
      .find(live(ownerOf(req)))
      .sort(DUE_FIRST)
      .limit(PAGE)
      .toArray()
  ).map(toTask);
}

async function get(req: IncomingMessage, id: string): Promise<object> {
  const found = await tasks.findOne({ ...live(ownerOf(req)), _id: new ObjectId(id) });
  return found === null ? {} : toTask(found);
}

async function create(req: IncomingMessage): Promise<object> {
  const created = newTask(ownerOf(req), (await json(req)) as { Text: string });
  await tasks.insertOne(created, { writeConcern: { w: 'majority', journal: true } });
  return toTask(created);
}

function ownerOf({ headers: { authorization = '' } }: IncomingMessage): string {
  const claims = Buffer.from(authorization.split('.')[1] ?? '', 'base64url').toString();
  return (JSON.parse(claims) as { oid: string }).oid;
}

function send(res: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }).end(text);
}

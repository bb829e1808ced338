/**
 * A peer: what most people would start with. Express 5, the bearer middleware of Auth0 (jose inside) that verifies each
 * token, lean Mongoose queries, one line logged a request.
 */
import express, { type NextFunction, type Request, type Response } from 'express';
import { auth } from 'express-oauth2-jwt-bearer';
import mongoose from 'mongoose';
import { pino } from 'pino';
import { DUE_FIRST, env, live, newTask, PAGE, type PeerTask, tenantMetadata, toTask } from './shared.ts';

const { ObjectId } = mongoose.Schema.Types;
const schema = new mongoose.Schema<PeerTask>(
  {
    owner: String,
    Text: String,
    completed: Boolean,
    date: Date,
    completedAt: Date,
    notes: String,
    importance: String,
    categories: [String],
    checklist: [{ _id: false, text: String, completed: Boolean }],
    remindAt: Date,
    position: String,
    createdAt: Date,
    updatedAt: Date,
    version: ObjectId,
  },
  { versionKey: false },
);
await mongoose.connect(env('MONGODB_URI'), { autoCreate: false, autoIndex: false, w: 'majority', journal: true });
const Task = mongoose.model<PeerTask>('Task', schema, 'tasks');
const { issuer, jwksUri } = await tenantMetadata();
const log = pino();

const app = express();
app.use((req, res, next) => {
  const begin = performance.now();
  res.on('finish', () => {
    log.info({ method: req.method, url: req.url, status: res.statusCode, ms: performance.now() - begin }, 'handled');
  });
  next();
});
app.get('/readyz', (_req, res) => {
  res.json({ status: 'ready' });
});
app.use(auth({ issuer, jwksUri, audience: env('B2C_CLIENT_ID'), tokenSigningAlg: 'RS256' }), express.json());

app.get('/hello', (req, res) => {
  res.json({ name: req.auth?.payload['name'] });
});
app.get('/api/tasks', async (req, res) => {
  const found = await Task.find(live(ownerOf(req)))
    .sort(DUE_FIRST)
    .limit(PAGE)
    .lean<PeerTask[]>();
  res.json(found.map(toTask));
});
app.get('/api/tasks/:id', async (req, res) => {
  const found = await Task.findOne({ ...live(ownerOf(req)), _id: req.params.id }).lean<PeerTask>();
  if (found === null) res.sendStatus(404);
  else res.json(toTask(found));
});
app.post('/api/tasks', async (req, res) => {
  const created = await Task.create(newTask(ownerOf(req), req.body as { Text: string }));
  res.status(201).location(`tasks/${created.id}`).json(toTask(created.toObject()));
});
app.use((error: { status?: number; headers?: object }, _req: Request, res: Response, next: NextFunction) => {
  if (res.headersSent) next(error);
  else {
    res
      .status(error.status ?? 500)
      .set(error.headers ?? {})
      .json({ code: 'Refused' });
  }
});
app.listen(Number(env('PORT')), env('HOST'));

function ownerOf({ auth }: Request): string {
  return String(auth?.payload['oid']);
}

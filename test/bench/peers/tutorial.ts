/**
 * A peer: the tutorial's own shape. Restify with its usual plugins and passport-azure-ad's BearerStrategy as it comes,
 * Mongoose documents, one line logged a request. Without the tutorial's throttle, which is off in ours too.
 */
import bunyan from 'bunyan';
import mongoose from 'mongoose';
import passport from 'passport';
import { BearerStrategy } from 'passport-azure-ad';
import restify, { type Next, type Request, type RequestHandler, type Response } from 'restify';
import { DUE_FIRST, env, live, PAGE, type PeerTask } from './shared.ts';

await mongoose.connect(env('MONGODB_URI'), { autoCreate: false, autoIndex: false });
const schema = new mongoose.Schema({ owner: String, Text: String, task: String, completed: Boolean, date: Date });
const Task = mongoose.model<PeerTask>('Task', schema, 'tasks');
const log = bunyan.createLogger({ name: 'tutorial' });

passport.use(
  new BearerStrategy(
    {
      identityMetadata: env('B2C_IDENTITY_METADATA').replace('{policy}', env('B2C_POLICY_NAME')),
      clientID: env('B2C_CLIENT_ID'),
      policyName: env('B2C_POLICY_NAME'),
      isB2C: true,
      validateIssuer: true,
      loggingLevel: 'error',
    },
    (token, done) => {
      done(null, { oid: token.oid, name: token.name }, token);
    },
  ),
);

const server = restify.createServer({ name: 'tutorial' });
server.pre(restify.plugins.pre.sanitizePath(), restify.plugins.pre.userAgentConnection());
server.use(
  restify.plugins.acceptParser(server.acceptable),
  restify.plugins.dateParser(),
  restify.plugins.queryParser(),
  restify.plugins.bodyParser({ mapParams: true }),
  restify.plugins.authorizationParser(),
);
server.use(passport.initialize() as unknown as RequestHandler);
const signedIn = passport.authenticate('oauth-bearer', { session: false }) as unknown as RequestHandler;

server.get('/hello', signedIn, (req: Request, res: Response, next: Next) => {
  res.json({ name: req.user?.name });
  next();
});
server.get('/api/tasks', signedIn, (req: Request, res: Response, next: Next) => {
  const found = Task.find(live(ownerOf(req)))
    .sort(DUE_FIRST)
    .limit(PAGE);
  answer(res, next, 200, found.exec());
});
server.get('/api/tasks/:id', signedIn, (req: Request, res: Response, next: Next) => {
  const { id } = req.params as { id: string };
  answer(res, next, 200, Task.findOne({ ...live(ownerOf(req)), _id: id }).exec());
});
server.post('/api/tasks', signedIn, (req: Request, res: Response, next: Next) => {
  const { Text, date } = req.params as { Text: string; date: string };
  answer(res, next, 201, new Task({ owner: ownerOf(req), Text, task: Text, date, completed: false }).save());
});
server.on('after', (req: Request, res: Response) => {
  log.info({ method: req.method, url: req.url, status: res.statusCode }, 'handled');
});
server.listen(Number(env('PORT')), env('HOST'));

function answer(res: Response, next: Next, status: number, work: Promise<unknown>): void {
  void work.then((result) => {
    res.json(status, result);
    next();
  }, next);
}

function ownerOf(req: Request): string {
  return req.user?.oid ?? '';
}

/**
 * A peer: the tutorial's own shape. Restify with its usual plugins and passport-azure-ad's BearerStrategy as it comes,
 * Mongoose documents, one line logged a request. Without the tutorial's throttle, which is off in ours too.
 */
import bunyan from 'bunyan';
import passport from 'passport';
import { BearerStrategy } from 'passport-azure-ad';
import restify, { type Request, type RequestHandler, type Response, type Next } from 'restify';
import { connectPeer, env } from './shared.ts';

const { tasks } = await connectPeer();
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
  void tasks
    .find({ owner: req.user?.oid ?? '', deletedAt: null })
    .sort({ date: 1, _id: 1 })
    .limit(20)
    .then((found) => {
      res.json(found);
      next();
    }, next);
});
server.on('after', (req: Request, res: Response) => {
  log.info({ method: req.method, url: req.url, status: res.statusCode }, 'handled');
});
server.listen(Number(env('PORT')), env('HOST'));

import { Passport } from 'passport';
import type { Request, RequestHandler, Response } from 'restify';
import { ApiError, InvalidRequestError, UnauthorizedError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { challenge } from './challenge.ts';
import { refuseBodyToken, requireBearerHeader } from './credentials.ts';
import { TokenRefusedError, type Reason } from './refusal.ts';
import type { Caller, TenantBearerStrategy } from './strategy.ts';
import type { Claims } from './token.ts';

/** How authentication ended. Stable: metrics count by these. */
export type Outcome =
  'ok' | 'no_token' | 'invalid_request' | Reason | 'insufficient_scope' | 'tenant_unavailable' | 'error';

export interface AuthenticateOptions {
  strategy: TenantBearerStrategy;
  onOutcome: (outcome: Outcome) => void;
}

declare module 'restify' {
  interface Request {
    /** The claims of the caller's token, all verified to come from the tenant. */
    authInfo?: Claims;
  }
}

/** The restify handler: sets `req.user` and `req.authInfo`, or throws what the caller is answered. */
export function authenticateWith({ strategy, onOutcome }: AuthenticateOptions): RequestHandler {
  const authenticateByPassport = promisePassport(strategy);
  return async (req: Request, res: Response): Promise<void> => {
    try {
      requireBearerHeader(req);
      const { user, claims } = await authenticateByPassport(req, res);
      req.user = user;
      req.authInfo = claims;
      onOutcome('ok');
    } catch (error) {
      throw refused(req, error, onOutcome);
    }
  };
}

/** For after the body is read: a second token in it is refused, whatever it is worth. */
export function refuseBodyTokenWith(onOutcome: (outcome: Outcome) => void): RequestHandler {
  return async (req: Request): Promise<void> => {
    try {
      refuseBodyToken(req);
    } catch (error) {
      throw refused(req, error, onOutcome);
    }
  };
}

function refused(req: Request, error: unknown, onOutcome: (outcome: Outcome) => void): unknown {
  onOutcome(outcomeOf(error));
  logRefusal(req.log, error);
  return toAnswer(error);
}

/**
 * Passport answers a failure itself and never tells restify, which then counts the request as running for ever. With
 * a callback it leaves the answer to us.
 */
function promisePassport(strategy: TenantBearerStrategy) {
  const passport = new Passport();
  passport.use(strategy);
  return (req: Request, res: Response): Promise<{ user: Caller; claims: Claims }> =>
    new Promise((resolve, reject) => {
      const settle = (error: unknown, user?: Caller | false, claims?: unknown): void => {
        if (error) reject(asError(error));
        else if (user) resolve({ user, claims: claims as Claims });
        // The library's own refusals: the checks before it leave none, so this is a fault of ours.
        else reject(new Error('BearerStrategy refused the request', { cause: claims }));
      };
      const run = passport.authenticate(strategy.name, { session: false }, settle) as (
        req: Request,
        res: Response,
        next: (error: unknown) => void,
      ) => void;
      run(req, res, settle);
    });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof TokenRefusedError) return error.findings[0].reason;
  if (error instanceof InvalidRequestError) return 'invalid_request';
  if (error instanceof UnauthorizedError) return 'no_token';
  return error instanceof ApiError && error.statusCode === 503 ? 'tenant_unavailable' : 'error';
}

/** Anything unexpected stays as it is, for the one error path to log whole. */
function toAnswer(error: unknown): unknown {
  if (!(error instanceof TokenRefusedError)) return error;
  return new UnauthorizedError(error.message, challenge('invalid_token', error.message));
}

/** Expired tokens and requests without one are daily life; the rest points to a mistake or an attack. */
const ORDINARY: readonly Outcome[] = ['no_token', 'expired'];

function logRefusal(log: Logger, error: unknown): void {
  const reason = outcomeOf(error);
  if (error instanceof TokenRefusedError) {
    const mismatches = error.findings.map(({ subject, expected, received }) => ({ subject, expected, received }));
    const { cure } = error.findings[0];
    log[ORDINARY.includes(reason) ? 'info' : 'warn']({ reason, mismatches, cure }, 'token refused');
  } else if (error instanceof ApiError) {
    log[ORDINARY.includes(reason) ? 'info' : 'warn']({ reason, detail: error.message }, 'not authenticated');
  }
}

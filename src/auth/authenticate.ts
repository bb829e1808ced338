/** The steps before everything that needs a token. */
import { Passport } from 'passport';
import type { Request, Response } from 'restify';
import type { Config } from '../config.ts';
import { ApiError, InsufficientScopeError, InvalidRequestError, UnauthorizedError } from '../errors.ts';
import { type Caller, logOf, type Step } from '../http/request.ts';
import { hasScope } from './claims.ts';
import { refuseBodyToken, requireBearerToken } from './credentials.ts';
import { REASONS, TokenRefusedError } from './refusal.ts';
import { TenantBearerStrategy } from './strategy.ts';
import type { Claims } from './token.ts';
import type { Candidate, TokenVerifier, Verified } from './verify.ts';

/** How authentication ended. Stable: metrics count by these. */
export const OUTCOMES = [
  ...(['ok', 'no_token', 'invalid_request', 'insufficient_scope', 'tenant_unavailable', 'error'] as const),
  ...REASONS,
] as const;
export type Outcome = (typeof OUTCOMES)[number];

export type OnOutcome = (outcome: Outcome) => void;

declare module 'restify' {
  interface Request {
    /** The claims of the caller's token, all verified to come from the tenant. */
    authInfo?: Claims;
  }
}

/** The steps of a guard; each throws the error for the caller. */
export function gateSteps(config: Config, verifier: TokenVerifier, onOutcome: OnOutcome) {
  const prove = promisePassport(config, verifier);
  const accept = (req: Request, { caller, claims }: Verified): void => {
    req.user = caller;
    req.authInfo = claims;
    onOutcome('ok');
  };
  const refuse = (req: Request, error: unknown): never => {
    const outcome = outcomeOf(error);
    onOutcome(outcome);
    logRefusal(req, outcome, error);
    throw error;
  };
  /**
   * Sets `req.user` and `req.authInfo`. The cheap checks come first: the memory of valid tokens, then what a token alone
   * shows. Passport and BearerStrategy verify the rest.
   */
  const authenticate: Step = (req, res) => {
    try {
      const text = requireBearerToken(req);
      const known = verifier.recall(text);
      if (known !== undefined) {
        accept(req, known);
        return undefined;
      }
      const proof = prove(req, res, verifier.inspect(text));
      return proof.then(
        (verified) => {
          accept(req, verified);
        },
        (error: unknown) => refuse(req, error),
      );
    } catch (error) {
      return refuse(req, error);
    }
  };
  /** For after the body is read: refuses a second token in it, valid or not. */
  const refuseSecondToken: Step = (req) => {
    try {
      refuseBodyToken(req);
    } catch (error) {
      refuse(req, error);
    }
  };
  /** Refuses tokens without that scope; for after `authenticate`, any number of times. Undefined needs none. */
  const requireScope =
    (scope: string | undefined): Step =>
    (req) => {
      if (scope === undefined || hasScope(req.authInfo ?? {}, scope)) return;
      onOutcome('insufficient_scope');
      logOf(req).warn({ reason: 'insufficient_scope', expected: scope }, 'token refused');
      throw new InsufficientScopeError(scope);
    };
  return { authenticate, refuseBodyToken: refuseSecondToken, requireScope };
}

type Prove = (req: Request, res: Response, candidate: Candidate) => Promise<Verified>;

/**
 * Passport answers a failure itself without telling restify, which then counts the request as running for ever. With a
 * callback it leaves the answer to us.
 */
function promisePassport(config: Config, verifier: TokenVerifier): Prove {
  // What was inspected before Passport was called: the strategy gets only the text, and no text is parsed twice.
  const candidates = new WeakMap<object, Candidate>();
  const strategy = new TenantBearerStrategy(config, async (text, req) =>
    verifier.prove(candidates.get(req) ?? verifier.inspect(text)),
  );
  const passport = new Passport();
  passport.use(strategy);
  return (req, res, candidate) =>
    new Promise((resolve, reject) => {
      candidates.set(req, candidate);
      const settle = (error?: Error | null, caller?: Caller | false, claims?: unknown): void => {
        if (error) reject(error);
        else if (caller) resolve({ caller, claims: claims as Claims });
        // The library's own refusals: our checks run first and leave none, so this is our fault.
        else reject(new Error('BearerStrategy refused the request', { cause: claims }));
      };
      const run = passport.authenticate(strategy.name, { session: false }, settle) as (
        req: Request,
        res: Response,
        next: (error?: Error) => void,
      ) => void;
      run(req, res, settle);
    });
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof TokenRefusedError) return error.reason;
  if (error instanceof InvalidRequestError) return 'invalid_request';
  if (error instanceof UnauthorizedError) return 'no_token';
  return error instanceof ApiError && error.statusCode === 503 ? 'tenant_unavailable' : 'error';
}

/** Expired tokens and requests without one are normal; the rest points to a mistake or an attack. */
const ORDINARY: readonly Outcome[] = ['no_token', 'expired'];

function logRefusal(req: Request, reason: Outcome, error: unknown): void {
  const level = ORDINARY.includes(reason) ? 'info' : 'warn';
  // Built only if it is logged. The one error path logs anything unexpected in full.
  if (!(error instanceof ApiError) || !req.log[level]()) return;
  const log = logOf(req);
  if (error instanceof TokenRefusedError) {
    const { findings } = error;
    const mismatches = findings.map(({ subject, expected, received }) => ({ subject, expected, received }));
    log[level]({ reason, mismatches, cure: findings[0].cure }, 'token refused');
  } else {
    log[level]({ reason, detail: error.message }, 'not authenticated');
  }
}

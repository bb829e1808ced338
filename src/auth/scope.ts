import type { Request, RequestHandler } from 'restify';
import { InsufficientScopeError } from '../errors.ts';
import { scopeChallenge } from './challenge.ts';
import type { Claims } from './token.ts';

/**
 * Refuses tokens without that scope. B2C puts the short names of the granted scopes into `scp`, between spaces.
 *
 * @param scope the short name; undefined needs none
 */
export function requireScope(
  scope: string | undefined,
  onRefused: (req: Request, scope: string) => void,
): RequestHandler {
  return async (req: Request): Promise<void> => {
    if (scope === undefined || hasScope(req.authInfo ?? {}, scope)) return;
    onRefused(req, scope);
    throw new InsufficientScopeError(`the token lacks the scope ${scope}`, scopeChallenge(scope));
  };
}

export function hasScope({ scp }: Claims, scope: string): boolean {
  return typeof scp === 'string' && scp.split(' ').includes(scope);
}

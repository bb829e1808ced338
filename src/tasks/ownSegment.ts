import type { Request } from 'restify';
import { MethodNotAllowedError } from '../errors.ts';
import { parameterOf } from './context.ts';
import { notFound } from './notFound.ts';

/**
 * For the routes with an owner in the path: lets the caller's own `oid` and `me` pass. Mount it behind authentication.
 *
 * @throws {TaskNotFoundError} for everybody else: whether they exist is nobody's business.
 */
export async function onlyOwn(req: Request): Promise<void> {
  const owner = parameterOf(req, 'owner');
  if (owner === 'me' || owner === req.user?.oid) return;
  const isChanges = owner === 'changes' && parameterOf(req, 'task') === '';
  if (isChanges) throw new MethodNotAllowedError('GET, HEAD, OPTIONS');
  throw notFound(owner);
}

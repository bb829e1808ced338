/** How many requests of one user are answered at the same time, so that nobody fills the memory or the store's connections. */
import type { Request, Response } from 'restify';
import { TooManyRequestsError } from '../errors.ts';
import './request.ts';

/** A step for behind authentication. @throws {TooManyRequestsError} while that many of the user are under way. */
export function boundInFlight(max: number): (req: Request, res: Response) => void {
  const underWay = new Map<string, number>();
  return ({ user }, res) => {
    if (user === undefined) return;
    const { oid } = user;
    const count = underWay.get(oid) ?? 0;
    if (count >= max) throw new TooManyRequestsError(1, {});
    underWay.set(oid, count + 1);
    res.once('close', () => {
      const left = (underWay.get(oid) ?? 1) - 1;
      if (left === 0) underWay.delete(oid);
      else underWay.set(oid, left);
    });
  };
}

import type { Request, RequestHandler, Response } from 'restify';
import type { Step } from '../../src/http/request.ts';

/** Steps in the form that restify mounts. */
export function handlerOf(...steps: Step[]): RequestHandler {
  return async (req: Request, res: Response): Promise<void> => {
    for (const step of steps) await step(req, res);
  };
}

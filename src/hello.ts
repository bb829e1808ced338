import type { Request, RequestHandler, Response, Server } from 'restify';
import { sendJson } from './http/respond.ts';

/** `GET /hello`: what Microsoft's MSAL samples for iOS and Android call first. They need `name` to be a string. */
export function mountHello(server: Server, signedIn: RequestHandler[]): void {
  server.get({ path: '/hello', name: 'GetHello' }, signedIn, getHello);
  server.head({ path: '/hello', name: 'HeadHello' }, signedIn, getHello);
}

async function getHello(req: Request, res: Response): Promise<void> {
  await sendJson(req, res, 200, { name: req.user?.name ?? '' });
}

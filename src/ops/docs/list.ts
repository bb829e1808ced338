import type { Parameter } from '../../http/schema.ts';
import type { ApiDocument, OperationObject, Reference, ResponseObject } from '../openapi/types.ts';

/** An operation with everything it refers to at hand. */
export interface ListedOperation {
  method: string;
  path: string;
  operation: OperationObject;
  parameters: Parameter[];
  responses: [status: string, response: ResponseObject][];
}

const METHODS: readonly ['get', 'post', 'put', 'patch', 'delete'] = ['get', 'post', 'put', 'patch', 'delete'];

/** All operations but HEAD, which is told of once for all. */
export function listOperations(document: ApiDocument): ListedOperation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      if (operation === undefined) return [];
      const parameters = (operation.parameters ?? []).map((parameter) => resolve(document, parameter) as Parameter);
      const responses = Object.entries(operation.responses);
      return [{ method: method.toUpperCase(), path, operation, parameters, responses }];
    }),
  );
}

/** What `#/components/<kind>/<name>` stands for. */
export function resolve({ components }: ApiDocument, { $ref }: Reference): unknown {
  const [, , kind = '', name = ''] = $ref.split('/');
  const found = (components as unknown as Record<string, Record<string, unknown>>)[kind]?.[name];
  if (found === undefined) throw new Error(`${$ref} stands for nothing`);
  return found;
}

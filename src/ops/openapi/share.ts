import type { Operation, PathItem, Reference, Response } from './types.ts';

export interface SharedPaths {
  paths: Record<string, PathItem>;
  responses: Record<string, Response>;
}

/**
 * Moves the error responses, most of which many operations have in common, to where they are written once. It makes
 * the document half as large.
 */
export function shareResponses(paths: Record<string, PathItem>): SharedPaths {
  const pool = new Pool();
  const shared = Object.entries(paths).map(([path, { parameters, ...operations }]) => {
    const moved = Object.entries(operations).map(([method, operation]) => [method, pool.share(operation)]);
    return [path, { ...(parameters && { parameters }), ...(Object.fromEntries(moved) as PathItem) }];
  });
  return { paths: Object.fromEntries(shared) as Record<string, PathItem>, responses: pool.responses() };
}

class Pool {
  /** By what the response says, so that the same one is found again. */
  readonly #known = new Map<string, { name: string; response: Response }>();

  share(operation: Operation): Operation {
    const responses = Object.entries(operation.responses).map(([status, response]) => [
      status,
      Number(status) < 400 || '$ref' in response ? response : this.#reference(response),
    ]);
    return { ...operation, responses: Object.fromEntries(responses) as Operation['responses'] };
  }

  responses(): Record<string, Response> {
    return Object.fromEntries([...this.#known.values()].map(({ name, response }) => [name, response]));
  }

  #reference(response: Response): Reference {
    const text = JSON.stringify(response);
    const known = this.#known.get(text) ?? { name: this.#freeName(response), response };
    this.#known.set(text, known);
    return { $ref: `#/components/responses/${known.name}` };
  }

  /** The codes, and a number for the second response with the same ones. */
  #freeName({ description }: Response): string {
    const codes = [...description.matchAll(/`(\w+)`/g)].map(([, code]) => code).join('-');
    const namesakes = [...this.#known.values()].filter(({ name }) => name.replace(/\.\d+$/, '') === codes).length;
    return namesakes === 0 ? codes : `${codes}.${namesakes + 1}`;
  }
}

/** The document as it is written out: as much of OpenAPI 3.1 as it uses. Its validity is checked by a test, not by these types. */
import type { Example, Parameter, Schema } from '../../http/schema.ts';

export interface Reference {
  $ref: string;
}

interface MediaType {
  schema: Schema;
  examples?: Record<string, Example | Reference>;
}

export interface ResponseObject {
  description: string;
  headers?: Record<string, Reference>;
  content?: Record<string, MediaType>;
}

interface RequestBody {
  description: string;
  required: boolean;
  content: Record<string, MediaType>;
}

export interface OperationObject {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  deprecated?: true;
  /** An empty list: open to all. */
  security?: [];
  parameters?: Reference[];
  requestBody?: RequestBody;
  responses: Record<string, ResponseObject>;
}

export type PathItem = Partial<Record<'get' | 'post' | 'put' | 'patch' | 'delete', OperationObject>>;

export interface ApiDocument {
  openapi: '3.1.1';
  info: {
    title: string;
    version: string;
    description: string;
    contact: { name: string };
    license: { name: string; identifier: string };
  };
  servers: { url: string; description: string }[];
  security: Record<string, string[]>[];
  tags: { name: string; description: string }[];
  paths: Record<string, PathItem>;
  components: {
    schemas: Record<string, Schema>;
    parameters: Record<string, Parameter>;
    headers: Record<string, { description: string; schema: Schema }>;
    examples: Record<string, Example>;
    securitySchemes: Record<string, Schema>;
  };
}

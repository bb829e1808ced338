/** As much of Swagger UI as the page uses. It is a script, and leaves its function in the global scope. */

/** What React draws. */
type Drawn = unknown;
type Component = (props: Record<string, unknown>) => Drawn;

/** As much of an Immutable.js map as the page uses. */
interface ImmutableMap {
  has(key: string): boolean;
  set(key: string, value: string): ImmutableMap;
  filter(keep: (value: unknown, key: string) => boolean): ImmutableMap;
  map(change: (value: ImmutableMap) => ImmutableMap): ImmutableMap;
  update(key: string, change: (value: ImmutableMap | undefined) => ImmutableMap | undefined): ImmutableMap;
}

interface System {
  React: {
    createElement(type: string | Component, props: object | null, ...children: Drawn[]): Drawn;
    useState<T>(initial: T): [T, (value: T) => void];
    useEffect(effect: () => () => void, dependencies: unknown[]): void;
  };
  getComponent: (name: string, isContainer?: boolean) => Component;
  layoutActions: { parseDeepLinkHash(hash: string): void };
}

interface SwaggerRequest {
  url: string;
  headers: Record<string, string>;
}

interface SwaggerResponse {
  url: string;
  status: number;
}

interface SwaggerPlugin {
  components?: Record<string, Component>;
  wrapComponents?: Record<string, (original: Component, system: System) => Component>;
}

interface SwaggerOptions {
  domNode: HTMLElement;
  spec: object;
  layout: string;
  deepLinking: boolean;
  docExpansion: 'list';
  tryItOutEnabled: boolean;
  displayRequestDuration: boolean;
  validatorUrl: null;
  syntaxHighlight: boolean;
  plugins: ((system: System) => SwaggerPlugin)[];
  requestInterceptor(request: SwaggerRequest): SwaggerRequest;
  responseInterceptor(response: SwaggerResponse): SwaggerResponse;
}

declare function SwaggerUIBundle(options: SwaggerOptions): System;

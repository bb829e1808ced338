import { compactVerify, errors } from 'jose';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import {
  expectationsOf,
  findingOf,
  issuerCheck,
  keyCheck,
  signatureCheck,
  tokenChecks,
  type Check,
  type Expectations,
} from './checks.ts';
import type { TenantKeys } from './keys.ts';
import type { KeySet, TenantKey } from './keySet.ts';
import { policyOf } from './policy.ts';
import { TokenRefusedError, type Finding } from './refusal.ts';
import { digestOf, RememberedTokens } from './remembered.ts';
import { readToken, type Claims, type Token } from './token.ts';

export interface VerifierOptions {
  config: Config;
  clock: Clock;
  /** The keeper of the keys of each metadata URL. */
  keepers: ReadonlyMap<string, TenantKeys>;
}

/** Decides whether a token is good. */
export class TokenVerifier {
  readonly #config: Config;
  readonly #clock: Clock;
  readonly #keepers: ReadonlyMap<string, TenantKeys>;
  readonly #remembered = new RememberedTokens();

  constructor({ config, clock, keepers }: VerifierOptions) {
    this.#config = config;
    this.#clock = clock;
    this.#keepers = keepers;
  }

  /** How many tokens are remembered. */
  get rememberedCount(): number {
    return this.#remembered.size;
  }

  /** Whether that token was good before. A token is forgotten as soon as it is found to be good no more. */
  remembers(text: string): boolean {
    return this.#remembered.has(digestOf(text));
  }

  /**
   * The claims of a good token. Only the signature is remembered: all else is checked again each time, so that a
   * remembered token is as good as a new one, at the price of a digest.
   *
   * @throws {TokenRefusedError} when it is not good.
   * @throws {TenantUnavailableError} when nobody can tell because the keys cannot be had.
   */
  async verify(text: string): Promise<Claims> {
    const digest = digestOf(text);
    const remembered = this.#remembered.get(digest);
    const token = remembered?.token ?? readToken(text);
    try {
      const keeper = this.#checkToken(token);
      if (remembered !== undefined && keeper.holds(remembered.key)) {
        this.#checkIssuer(token, keeper.current());
        return token.claims;
      }
      const key = await this.#verifySignature(text, token, keeper);
      this.#remembered.remember(digest, { token, key }, text.length);
      return token.claims;
    } catch (error) {
      this.#remembered.forget(digest);
      throw error;
    }
  }

  /** Everything that the token alone shows. Returns the keeper of the keys that may have signed it. */
  #checkToken(token: Token): TenantKeys {
    const policy = policyOf(token.claims, this.#config.policies);
    const keeper = policy && this.#keepers.get(policy.metadataUrl);
    const expectations = this.#expectations(keeper?.current());
    const failed = tokenChecks.filter((check) => !check.isMet(token, expectations));
    if (keeper !== undefined && failed.length === 0) return keeper;
    // It is refused already; the log tells about the issuer in the same breath.
    if (keeper?.current() !== undefined && !issuerCheck.isMet(token, expectations)) failed.push(issuerCheck);
    throw refusal(token, failed, expectations);
  }

  async #verifySignature(text: string, token: Token, keeper: TenantKeys): Promise<TenantKey> {
    const { keySet, key } = await keeper.find(String(token.header['kid']));
    this.#checkIssuer(token, keySet);
    if (key === undefined) throw unknownKey(token, keySet);
    await checkSignature(text, key);
    return key;
  }

  #checkIssuer(token: Token, keySet: KeySet | undefined): void {
    const expectations = this.#expectations(keySet);
    if (!issuerCheck.isMet(token, expectations)) throw refusal(token, [issuerCheck], expectations);
  }

  #expectations(keySet: KeySet | undefined): Expectations {
    return expectationsOf(this.#config, this.#clock, keySet);
  }
}

/** @throws {TokenRefusedError} */
export async function checkSignature(text: string, key: TenantKey): Promise<void> {
  try {
    await compactVerify(text, key.publicKey, { algorithms: ['RS256'] });
  } catch (cause) {
    if (!(cause instanceof errors.JOSEError)) throw cause;
    throw new TokenRefusedError([signatureCheck], { cause });
  }
}

function unknownKey(token: Token, { keys }: KeySet): TokenRefusedError {
  const expected = keyCheck.expected([...keys.keys()]);
  return new TokenRefusedError([{ ...keyCheck, expected, received: keyCheck.received(token) }]);
}

function refusal(token: Token, failed: readonly Check[], expectations: Expectations): TokenRefusedError {
  const [first, ...others] = failed.map((check): Finding => findingOf(check, token, expectations));
  if (first === undefined) throw new Error('a token is only refused for a reason');
  return new TokenRefusedError([first, ...others]);
}
